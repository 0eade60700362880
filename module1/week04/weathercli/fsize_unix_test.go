//go:build unix

package weathercli_test

import (
	"syscall"
	"testing"
)

// withFullDisk calls f while a write beyond the first n bytes of any file fails,
// as on a disk that is full.
func withFullDisk(t *testing.T, n uint64, f func()) {
	t.Helper()
	withLimit(t, syscall.RLIMIT_FSIZE, n, f)
}

// withFewFiles calls f while the process can have no more than n files open.
func withFewFiles(t *testing.T, n uint64, f func()) {
	t.Helper()
	withLimit(t, syscall.RLIMIT_NOFILE, n, f)
}

func withLimit(t *testing.T, resource int, n uint64, f func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(resource, &before); err != nil {
		t.Fatal(err)
	}
	set := func(limit syscall.Rlimit) {
		if err := syscall.Setrlimit(resource, &limit); err != nil {
			t.Fatal(err)
		}
	}
	set(syscall.Rlimit{Cur: n, Max: before.Max})
	defer set(before)
	f()
}
