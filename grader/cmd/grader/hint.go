package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
)

// hintWidth is where lines of a hint break.
const hintWidth = 80

func newHint(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "hint week01/handles [n]",
		Short: "show the next hint of an exercise, or hint n",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			st, err := s.openStudent()
			if err != nil {
				return err
			}
			ex, err := st.course.Exercise(exerciseID(args[0]))
			if err != nil {
				return usage(err)
			}
			entry := st.record.Entry(ex.ID())
			n, again := entry.NextHint(len(ex.Hints))
			if len(args) == 2 {
				if n, err = strconv.Atoi(args[1]); err != nil || n < 1 || n > len(ex.Hints) {
					return usage(fmt.Errorf("hint %q: %s has hints 1 to %d", args[1], ex.ID(), len(ex.Hints)))
				}
			}
			w := output()
			fmt.Fprintf(w, "%s: hint %d of %d\n\n%s\n", ex.ID(), n, len(ex.Hints), ansi.Wordwrap(ex.Hints[n-1], hintWidth, ""))
			if again && len(args) == 1 {
				fmt.Fprintln(w, "\nThat was the last hint. Your mentor has more.")
			}
			entry.Showed(n)
			if err := st.record.Save(); err != nil {
				fmt.Fprintln(os.Stderr, "grader:", err)
			}
			return nil
		},
	}
}
