package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/watch"
)

func newWatch(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "watch [N]",
		Short: "grade a week again whenever you save",
		Long: `watch grades a week, then each exercise again whenever one of its files is
saved, and shows the first failing check. Without N it takes the first week that
is not finished. It needs a terminal.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			st, err := s.openStudent()
			if err != nil {
				return err
			}
			week, err := watchedWeek(st, args)
			if err != nil {
				return usage(err)
			}
			ctx := cmd.Context()
			if !term.IsTerminal(int(os.Stdout.Fd())) {
				err := s.gradeWeek(ctx, st.course, week)
				if exit, ok := errors.AsType[*exitError](err); err != nil && (!ok || exit.err != nil) {
					return err
				}
				return usage(errors.New("watch needs a terminal; what you see is one report"))
			}
			g, err := s.newGrader(ctx, st.course)
			if err != nil {
				return err
			}
			return watch.Run(ctx, watch.Config{
				Week: week, Grader: g, Submission: st.root, ExtraTests: s.testsFrom,
				Path: shownPath(st.course, st.root), NextStep: nextStep(week),
			})
		},
	}
}

func watchedWeek(st student, args []string) (*course.Week, error) {
	if len(args) > 0 {
		return loadWeek(st.course, args[0])
	}
	return watch.FirstUnfinished(st.course, st.record)
}
