package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/report"
)

func newReport(s *settings) *cobra.Command {
	var schema bool
	cmd := &cobra.Command{
		Use:   "report FILE",
		Short: "show a JSON report in another format",
		Long: `report reads a report that was written with --format json or --report json=FILE,
checks it, and writes it in other formats. FILE - is standard input. It grades
nothing and needs no course. Its exit code is 0 whatever the verdicts say, and 2
for a file that is no report.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if schema {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if schema {
				_, err := os.Stdout.Write(report.JSONSchema())
				return err
			}
			o, err := s.outputs()
			if err != nil {
				return err
			}
			summary, err := readReport(args[0])
			if err != nil {
				return usage(err)
			}
			if o.since != nil {
				summary.Since(o.since)
			}
			return errors.Join(o.show(output(), summary), o.save(summary))
		},
	}
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of JSON reports")
	return s.reportFlags(cmd)
}
