//go:build unix

package session

import "syscall"

// keep makes sure that no child of the tests, which may be a student's program,
// inherits the descriptor.
func keep(fd uintptr) { syscall.CloseOnExec(int(fd)) }
