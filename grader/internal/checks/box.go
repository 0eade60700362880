package checks

import (
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// BoxLacks lists what this machine cannot contain the tests of ex with.
func BoxLacks(ex *course.Exercise) []string {
	o := boxed(ex, toolchain.RunOptions{})
	return sandbox.Lacks(sandbox.Reach{Children: o.Children, Loopback: o.Loopback})
}

// boxed opens the box for what the tests of ex need.
func boxed(ex *course.Exercise, o toolchain.RunOptions) toolchain.RunOptions {
	program := ex.Program != ""
	o.Children, o.Loopback = program || ex.Box.Children, program || ex.Box.Loopback
	return o
}
