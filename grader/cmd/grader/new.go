package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/scaffold"
)

func newNew(s *settings) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use:   "new week07/slug",
		Short: "scaffold an exercise",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := s.openCourse()
			if err != nil {
				return usage(err)
			}
			ex, err := scaffold.Parse(args[0], kind)
			if err != nil {
				return usage(err)
			}
			written, err := ex.Write(c.Root)
			if err != nil {
				return usage(err)
			}
			w := output()
			for _, name := range written {
				fmt.Fprintln(w, name)
			}
			fmt.Fprintf(w, "\nFill in the TODOs, then record its tests and check it:\n  bin/grader verify --record %s\n  bin/grader verify %s\n", args[0], args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "implement", "implement, fix or optimise")
	return cmd
}
