package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/catchup"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/cut"
	"github.com/middle-go/course/grader/internal/printable"
)

func newCatchUp(s *settings) *cobra.Command {
	var week string
	cmd := &cobra.Command{
		Use:   "catch-up --week 8",
		Short: "begin a week with the tracker as it stood before, when you have missed some",
		Long: `catch-up replaces the packages of your tracker by those of the reference, as they
stand after the week before. What you have is saved first: in git on a branch of
its own, otherwise in a copy of the directory. The command says how to look at it
and how to bring it back.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := weekNumber(week)
			if err != nil {
				return usage(err)
			}
			c, root, err := s.openTrees()
			if err != nil {
				return err
			}
			result, err := catchup.Run(cmd.Context(), catchup.Request{Root: root, Course: c, Source: cut.Open(c.Root), Week: n})
			if err != nil && result != nil {
				showSaved(output(), result.Saved)
				err = fmt.Errorf("catching up has begun and not ended; run the command again, or go back with the commands above: %w", err)
			}
			if err != nil {
				return usage(err)
			}
			showCatchUp(output(), result, n)
			return nil
		},
	}
	cmd.Flags().StringVar(&week, "week", "", "the `number` of the week that you want to begin")
	return cmd
}

// weekNumber reads 8 and 08.
func weekNumber(week string) (int, error) {
	n, err := strconv.Atoi(week)
	switch {
	case week == "":
		return 0, fmt.Errorf("name the week that you want to begin: make catch-up week=8, or grader catch-up --week 8")
	case err != nil:
		return 0, fmt.Errorf("%q is not the number of a week; the course has weeks 1 to %d", week, course.Weeks)
	}
	return n, nil
}

// showCatchUp says what was done and how to undo it.
func showCatchUp(w io.Writer, r *catchup.Result, week int) {
	if !r.Changed() {
		fmt.Fprintf(w, "Your tracker is at %s already; nothing was changed.\n", r.Milestone)
		return
	}
	fmt.Fprintf(w, "Your tracker is as it stands after %s; week %d can begin.\n", r.Milestone, week)
	fmt.Fprintf(w, "  files taken from the reference: %d; files of yours removed: %d; stubs of later milestones brought back: %d\n\n",
		len(r.Written), len(r.Removed), len(r.Restored))
	showSaved(w, r.Saved)
	showFiles(w, "These stubs are in no commit that is here; take them from the course's repository:", r.Kept)
	showFiles(w, "These packages are yours alone and were left as they are. They import what has changed; if they no longer build, remove them:", r.Own)
}

func showSaved(w io.Writer, s catchup.Saved) {
	if s.Branch != "" {
		fmt.Fprintf(w, "What you had is on the branch %s. Look at it:\n", s.Branch)
	} else {
		fmt.Fprintf(w, "What you had is in %s. Look at it:\n", s.Dir)
	}
	showCommands(w, s.In, s.Look)
	fmt.Fprintf(w, "Go back to it; what you do in %s from now on is lost then:\n", course.ProjectDir)
	showCommands(w, s.In, s.Back)
}

// showCommands shows what to type, with a change of directory if it is needed.
func showCommands(w io.Writer, in string, commands []string) {
	if wd, err := os.Getwd(); err != nil || !sameDir(wd, in) {
		fmt.Fprintf(w, "  cd %s\n", printable.Text(in))
	}
	for _, command := range commands {
		fmt.Fprintf(w, "  %s\n", command)
	}
}

func sameDir(a, b string) bool {
	ai, aerr := os.Stat(a)
	bi, berr := os.Stat(b)
	return aerr == nil && berr == nil && os.SameFile(ai, bi)
}

func showFiles(w io.Writer, title string, files []string) {
	if len(files) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, name := range files {
		fmt.Fprintf(w, "  %s\n", printable.Text(path.Join(course.ProjectDir, name)))
	}
}
