package sandbox

import (
	"fmt"
	"math"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// No command needs these calls: they look into other processes, change the
// machine or the walls of the box, or reach the kernel past this filter.
var refused = []uint32{
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP,
	unix.SYS_PIDFD_GETFD, unix.SYS_PROCESS_MADVISE, unix.SYS_PROCESS_MRELEASE,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_MOVE_MOUNT, unix.SYS_MOUNT_SETATTR, unix.SYS_OPEN_TREE,
	unix.SYS_FSOPEN, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_FSCONFIG,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT,
	unix.SYS_MEMFD_CREATE, unix.SYS_MEMFD_SECRET, unix.SYS_EXECVEAT, // a program that is no file
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF,
	unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SYSLOG, unix.SYS_VHANGUP,
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
	unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_SETTIMEOFDAY, unix.SYS_ADJTIMEX,
	unix.SYS_SETPRIORITY, unix.SYS_IOPRIO_SET,
	unix.SYS_SCHED_SETSCHEDULER, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_SETATTR,
	unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
}

// A command that is one process has no business with other processes.
var (
	refusedAlone = []uint32{unix.SYS_TKILL, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_SEND_SIGNAL}
	// These have the process as their first argument, which must be the caller.
	aboutProcess = []uint32{unix.SYS_KILL, unix.SYS_TGKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO}
	// In these 0 is the caller, too.
	aboutProcessOrSelf = []uint32{unix.SYS_PRLIMIT64, unix.SYS_SCHED_SETAFFINITY}
)

// newNamespaces are the flags of clone that make namespaces, in which a process
// has capabilities again.
const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// filterCalls makes the kernel refuse the system calls that reach does not
// need. It is the last wall: nothing is left to set up behind it.
func filterCalls(reach Reach) error {
	if auditArch == 0 {
		return nil
	}
	program := filter(reach, uint32(os.Getpid()))
	if len(program) > math.MaxUint16 {
		return fmt.Errorf("seccomp: %d instructions", len(program))
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// hasSeccomp reports whether the kernel filters system calls, and this package
// knows how on this architecture.
func hasSeccomp() bool {
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return auditArch != 0 && errno == 0
}

// filter returns the program in classic BPF that judges the system calls of a
// command whose process is pid. It sees only the low half of an argument; all
// those that it looks at are 32 bits wide.
func filter(reach Reach, pid uint32) []unix.SockFilter {
	const kill, allow = unix.SECCOMP_RET_KILL_PROCESS, unix.SECCOMP_RET_ALLOW
	refuse := func(errno unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(errno) }

	var p []unix.SockFilter
	p = append(p, load(offsetArch), skipIf(unix.BPF_JEQ, auditArch, 1), ret(kill), load(offsetCall))
	p = append(p, otherABI...)
	onCall := func(call uint32, body ...unix.SockFilter) {
		p = append(p, skipUnless(unix.BPF_JEQ, call, len(body)))
		p = append(p, body...)
	}
	for _, call := range refused {
		onCall(call, ret(refuse(unix.EPERM)))
	}
	if !reach.Children {
		for _, call := range slices.Concat(refusedAlone, forks) {
			onCall(call, ret(refuse(unix.EPERM)))
		}
		for _, call := range aboutProcess {
			onCall(call, load(offsetArg(0)), skipUnless(unix.BPF_JEQ, pid, 1), ret(allow), ret(refuse(unix.EPERM)))
		}
	}
	// The flags of clone3 are in memory, out of sight. Callers fall back to clone.
	onCall(unix.SYS_CLONE3, ret(refuse(unix.ENOSYS)))
	clone := []unix.SockFilter{load(offsetArg(0)), skipUnless(unix.BPF_JSET, newNamespaces, 1), ret(refuse(unix.EPERM))}
	if !reach.Children {
		clone = append(clone, skipIf(unix.BPF_JSET, unix.CLONE_THREAD, 1), ret(refuse(unix.EPERM)))
	}
	onCall(unix.SYS_CLONE, append(clone, ret(allow))...)
	// Machine code comes from files: a program that writes its own, or over that
	// of the tests, is refused the pages for it.
	for _, call := range []uint32{unix.SYS_MPROTECT, unix.SYS_PKEY_MPROTECT} {
		onCall(call, load(offsetArg(2)), skipUnless(unix.BPF_JSET, unix.PROT_EXEC, 1), ret(refuse(unix.EPERM)), ret(allow))
	}
	onCall(unix.SYS_MMAP, load(offsetArg(2)), skipUnless(unix.BPF_JSET, unix.PROT_EXEC, 3),
		load(offsetArg(3)), skipUnless(unix.BPF_JSET, unix.MAP_ANONYMOUS, 1), ret(refuse(unix.EPERM)), ret(allow))
	for _, call := range aboutProcessOrSelf {
		onCall(call, load(offsetArg(0)),
			skipUnless(unix.BPF_JEQ, 0, 1), ret(allow),
			skipUnless(unix.BPF_JEQ, pid, 1), ret(allow),
			ret(refuse(unix.EPERM)))
	}
	var domains []unix.SockFilter
	if reach.Loopback {
		for _, domain := range []uint32{unix.AF_INET, unix.AF_INET6} {
			domains = append(domains, skipUnless(unix.BPF_JEQ, domain, 1), ret(allow))
		}
	}
	onCall(unix.SYS_SOCKET, slices.Concat([]unix.SockFilter{load(offsetArg(0))}, domains, []unix.SockFilter{ret(refuse(unix.EPERM))})...)
	return append(p, ret(allow))
}

// Offsets into struct seccomp_data, linux/seccomp.h. Both architectures are
// little-endian.
const (
	offsetCall = 0
	offsetArch = 4
)

func offsetArg(n uint32) uint32 { return 16 + 8*n }

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

// skipUnless skips n instructions unless the comparison with k holds.
func skipUnless(comparison uint16, k uint32, n int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | comparison, K: k, Jf: uint8(n)}
}

// skipIf skips n instructions if the comparison with k holds.
func skipIf(comparison uint16, k uint32, n int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | comparison, K: k, Jt: uint8(n)}
}

func ret(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}
