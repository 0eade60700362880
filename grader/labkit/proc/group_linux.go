package proc

import "syscall"

// ownGroup puts a process into a group of its own. The kernel kills it when the
// thread that started it ends, as it does when the test process is killed or
// runs into its timeout, where no cleanup runs.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
