package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/cut"
)

func newCut(s *settings) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "cut m02a",
		Short: "write the reference tracker as it stood after a milestone",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := s.openCourse()
			if err != nil {
				return usage(err)
			}
			id := args[0]
			if out == "" {
				out = filepath.Join(c.Root, "bin", "cuts", id)
			}
			files, err := writeCut(c, id, out)
			if err != nil {
				return usage(err)
			}
			shown := shownPath(c, out)(".")
			_, err = fmt.Fprintf(output(), "%s: %d files in %s\n\nBuild and test it with:\n  cd %s && GOWORK=off go test ./...\n", id, files, shown, shown)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the `directory` to write, empty or new (default: bin/cuts/ID)")
	return cmd
}

// writeCut writes the cut and the course's go.mod into dir. It returns the number
// of files.
func writeCut(c *course.Course, id, dir string) (int, error) {
	if !c.HasMilestone(id) {
		return 0, fmt.Errorf("milestone %s is %w", id, course.ErrNotFound)
	}
	tree, err := cut.Open(c.Root).Cut(id)
	if err != nil {
		return 0, err
	}
	module, err := cut.Module(c.Root, dir)
	if err != nil {
		return 0, err
	}
	tree = append(module, tree...)
	return len(tree), tree.Write(dir)
}
