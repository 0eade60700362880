package sandbox

import "golang.org/x/sys/unix"

const auditArch uint32 = unix.AUDIT_ARCH_AARCH64

// There is nothing but clone.
var (
	forks    []uint32
	otherABI []unix.SockFilter
)
