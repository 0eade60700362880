package sandbox

import (
	"fmt"
	"strings"
)

// Walls says in a few words what the box is made of on this system.
func Walls() string {
	walls := []string{"limits on time, memory, file size and output"}
	if abi := landlockABI(); abi > 0 {
		walls = append(walls, fmt.Sprintf("Landlock ABI %d", abi))
	}
	if hasSeccomp() {
		walls = append(walls, "seccomp")
	}
	if namespaces() == nil {
		walls = append(walls, "namespaces")
	}
	return strings.Join(walls, ", ")
}

// Lacks lists what this system cannot enforce for a command with the given
// reach. A verdict on a command that lacks something is for practice.
func Lacks(reach Reach) []string {
	var lacks []string
	if abi := landlockABI(); abi < leastLandlock {
		lacks = append(lacks, fmt.Sprintf("a wall around files (Landlock ABI %d; the kernel has %d)", leastLandlock, abi))
	}
	if !hasSeccomp() {
		lacks = append(lacks, "a filter of system calls (seccomp)")
	}
	if reach.Children || reach.Loopback {
		if err := namespaces(); err != nil {
			lacks = append(lacks, fmt.Sprintf("namespaces of its own (%v)", err))
		}
	}
	return lacks
}
