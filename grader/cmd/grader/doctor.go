package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/doctor"
	"github.com/middle-go/course/grader/internal/report"
)

func newDoctor(*settings) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "what this machine has and lacks, and how to mend it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := output()
			healthy := true
			for _, item := range doctor.Examine(cmd.Context()) {
				status := checks.Pass
				if !item.OK {
					status = checks.Blocked
					if item.Required {
						status, healthy = checks.Fail, false
					}
				}
				fmt.Fprintf(w, "%s %-11s %s\n", report.Mark(status), item.Name, item.Found)
				if item.OK {
					continue
				}
				fmt.Fprintf(w, "              without it: %s\n", item.Blocks)
				if item.Fix != "" {
					fmt.Fprintf(w, "              to mend it: %s\n", item.Fix)
				}
			}
			if !healthy {
				return &exitError{exitBlocked, errors.New("this machine cannot grade yet")}
			}
			return nil
		},
	}
}
