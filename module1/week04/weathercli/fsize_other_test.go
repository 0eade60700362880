//go:build !unix

package weathercli_test

import "testing"

func withFullDisk(t *testing.T, _ uint64, _ func()) {
	t.Skip("this system cannot limit the size of files")
}
