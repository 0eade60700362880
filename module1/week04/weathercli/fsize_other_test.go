//go:build !unix

package weathercli_test

import "testing"

func withFullDisk(t *testing.T, _ uint64, _ func()) {
	t.Skip("this system cannot limit the size of files")
}

func withFewFiles(t *testing.T, _ uint64, _ func()) {
	t.Skip("this system cannot limit the number of open files")
}
