package sandbox

import "golang.org/x/sys/unix"

const auditArch uint32 = unix.AUDIT_ARCH_X86_64

// forks are the calls besides clone that make a process.
var forks = []uint32{unix.SYS_FORK, unix.SYS_VFORK}

// otherABI ends a process that calls the kernel by the numbers of x32, which
// the filter does not list.
var otherABI = []unix.SockFilter{skipUnless(unix.BPF_JGE, 0x40000000, 1), ret(unix.SECCOMP_RET_KILL_PROCESS)}
