//go:build !linux && !darwin

package proc

import (
	"os"
	"syscall"
)

// These systems have neither SIGTERM nor process groups as the tests need them:
// stopping is killing, and what the service started itself is not found.

func ownGroup() *syscall.SysProcAttr { return nil }

func terminate(p *os.Process) { _ = p.Kill() }

func dumpGoroutines(p *os.Process) { _ = p.Kill() }

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}
