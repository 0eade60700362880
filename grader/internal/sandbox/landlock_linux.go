package sandbox

import (
	"debug/elf"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Rights of Landlock. Nobody makes devices or listens on a socket in a file.
const (
	mayRead  = ll.AccessFSReadFile | ll.AccessFSReadDir
	mayStart = mayRead | ll.AccessFSExecute
	mayWrite = mayRead | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSRefer |
		ll.AccessFSRemoveDir | ll.AccessFSRemoveFile | ll.AccessFSMakeDir | ll.AccessFSMakeReg | ll.AccessFSMakeSym
	onFiles = ll.AccessFSReadFile | ll.AccessFSExecute | ll.AccessFSWriteFile | ll.AccessFSTruncate
)

// What every program may read: its libraries, itself, and what the runtimes of
// C, of Go and of the race detector ask the system.
var systemFiles = []string{
	"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/nix/store",
	"/etc/ld.so.cache", "/etc/ld.so.preload",
	"/etc/hosts", "/etc/nsswitch.conf", "/etc/protocols", "/etc/services", "/etc/localtime", "/usr/share/zoneinfo",
	"/proc/self", "/proc/sys", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
	"/sys/devices/system/cpu", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage",
	"/dev/zero", "/dev/random", "/dev/urandom", "/dev/full",
}

// leastLandlock is the ABI that knows every right of mayWrite.
const leastLandlock = 3

// wallInFiles leaves this process, and what it becomes, the files that reach
// names, and nobody else's processes to signal.
func wallInFiles(program string, reach Reach) error {
	var rules []landlock.Rule
	allow := func(rights uint64, paths ...string) {
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				continue
			}
			if !info.IsDir() {
				rights &= onFiles
			}
			rules = append(rules, landlock.PathAccess(landlock.AccessFSSet(rights), path).IgnoreIfMissing())
		}
	}
	allow(mayRead, systemFiles...)
	allow(mayRead, reach.Read...)
	allow(mayWrite, "/dev/null")
	allow(mayWrite, reach.Write...)
	if reach.Scratch != "" {
		allow(mayWrite, reach.Scratch)
	}
	if reach.Children {
		allow(mayRead, "/proc") // whose part of it a child will be, nobody knows yet
	}
	for _, path := range append(slices.Clone(reach.Exec), program) {
		allow(mayStart, path)
		allow(mayStart, interpreter(path))
	}
	walls := landlock.V9
	if reach.Loopback {
		walls.HandledAccessNet = 0 // it knows ports, not addresses
	}
	if err := walls.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("Landlock: %w", err)
	}
	return nil
}

// interpreter returns the dynamic linker that starts the program in a file, or
// nothing.
func interpreter(program string) string {
	file, err := elf.Open(program)
	if err != nil {
		return ""
	}
	defer file.Close()
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			name, _ := io.ReadAll(segment.Open())
			return strings.TrimRight(string(name), "\x00")
		}
	}
	return ""
}

// landlockABI is the version of Landlock that the kernel has, 0 if none.
func landlockABI() int {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return abi
}
