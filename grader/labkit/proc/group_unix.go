//go:build linux || darwin

package proc

import (
	"os"
	"syscall"
)

func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) }

// dumpGoroutines makes a Go program print its goroutines and exit.
func dumpGoroutines(p *os.Process) { _ = p.Signal(syscall.SIGQUIT) }

// killGroup kills what runs in the process group that pid leads or led.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
