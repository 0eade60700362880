//go:build linux && !amd64 && !arm64

package sandbox

import "golang.org/x/sys/unix"

// auditArch says that the numbers of this architecture have not been checked.
const auditArch uint32 = 0

var (
	forks    []uint32
	otherABI []unix.SockFilter
)
