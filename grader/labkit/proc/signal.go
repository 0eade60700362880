package proc

import (
	"os"
	"testing"
)

// Signal sends a signal that ends the service, such as [os.Interrupt]. It fails t
// if the service had exited by itself. [Process.Wait] returns the exit code.
func (p *Process) Signal(t testing.TB, sig os.Signal) {
	t.Helper()
	if !p.expected && p.hasExited() {
		t.Fatalf("%s exited with code %d before it got the signal %v", p.name, p.exitCode(), sig)
	}
	p.expected = true
	_ = p.cmd.Process.Signal(sig)
}

// PID returns the process id of the service.
func (p *Process) PID() int { return p.cmd.Process.Pid }
