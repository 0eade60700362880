//go:build !unix

package sandbox

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

// Walls says in a few words what the box is made of on this system.
func Walls() string { return "nothing" }

// Lacks lists what this system cannot enforce: everything.
func Lacks(Reach) []string { return []string{"everything"} }

var errUnsupported = errors.New("the grader runs on Linux and macOS; on Windows use WSL (https://learn.microsoft.com/windows/wsl/install)")

type process struct{ cmd *exec.Cmd }

func newProcess(context.Context, Command) (*process, error) { return nil, errUnsupported }

func (*process) abandon() error { return nil }

func (*process) start() error { return errUnsupported }

func (*process) wait() (exit, error) { return exit{}, errUnsupported }

func socketPair() (ours, theirs *os.File, err error) { return nil, nil, errUnsupported }
