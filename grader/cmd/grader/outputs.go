package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/atomicfile"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/record"
	"github.com/middle-go/course/grader/internal/report"
)

// reportFlags adds the flags of commands that show verdicts.
func (s *settings) reportFlags(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringArrayVar(&s.reports, "report", nil, "write a further report: `format=file`; may be given several times")
	cmd.Flags().StringVar(&s.since, "since", "", "an earlier JSON report, to say what has changed (default: what the student's record knows)")
	return cmd
}

// outputs are the reports that the flags ask for.
type outputs struct {
	format report.Format // of standard output
	files  []outputFile
	since  *report.Summary // or nil
}

type outputFile struct {
	format report.Format
	name   string
}

// outputs reads the flags. Its errors are the caller's.
func (s *settings) outputs() (*outputs, error) {
	o := &outputs{}
	var err error
	if o.format, err = report.ParseFormat(s.format); err != nil {
		return nil, usage(err)
	}
	for _, r := range s.reports {
		format, name, _ := strings.Cut(r, "=")
		f, err := report.ParseFormat(format)
		if err != nil {
			return nil, usage(fmt.Errorf("--report %s: %w", r, err))
		}
		if name == "" {
			return nil, usage(fmt.Errorf("--report %s names no file; write --report %s=FILE", r, format))
		}
		o.files = append(o.files, outputFile{f, name})
	}
	if s.since != "" {
		if o.since, err = readReport(s.since); err != nil {
			return nil, usage(fmt.Errorf("--since: %w", err))
		}
	}
	return o, nil
}

// readReport reads a JSON report from a file, or from standard input for "-".
func readReport(name string) (*report.Summary, error) {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	s, err := report.Read(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// remember adds to a summary what the student's record knows: the hints that he
// has looked at, and what is different from last time.
func remember(s *report.Summary, rec *record.Record) {
	before := map[string]checks.Status{}
	if len(rec.Exercises) > 0 {
		s.HintsUsed = map[string]int{}
	}
	for id, e := range rec.Exercises {
		if e == nil || !s.Has(id) {
			continue
		}
		s.HintsUsed[id] = min(max(e.HintsShown, 0), 9)
		if e.Status != "" {
			before[id] = e.Status
		}
	}
	if len(before) > 0 {
		s.SinceStatuses(before)
	}
}

// show writes a summary to standard output. In GitHub's format it also adds to
// the summary of the job, if there is a job.
func (o *outputs) show(w io.Writer, s *report.Summary) error {
	if err := s.Write(w, o.format); err != nil {
		return err
	}
	job := os.Getenv("GITHUB_STEP_SUMMARY")
	if o.format != report.GitHub || job == "" {
		return nil
	}
	f, err := os.OpenFile(job, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return &exitError{exitBlocked, fmt.Errorf("the summary of the job: %w", err)}
	}
	return errors.Join(s.Write(f, report.Markdown), f.Close())
}

// save writes a summary to the files that --report names.
func (o *outputs) save(s *report.Summary) error {
	for _, out := range o.files {
		var b bytes.Buffer
		err := s.Write(&colorprofile.Writer{Forward: &b, Profile: colorprofile.NoTTY}, out.format)
		if err == nil {
			err = replace(out.name, b.Bytes())
		}
		if err != nil {
			return &exitError{exitBlocked, fmt.Errorf("--report %s=%s: %w", out.format, out.name, err)}
		}
	}
	return nil
}

// replace writes a file, or to a device or a pipe. It follows no link, which may
// be a stranger's.
func replace(name string, content []byte) error {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular():
		return atomicfile.Write(name, content, 0o644)
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return errors.New("is a link; name a file")
	default:
		return os.WriteFile(name, content, 0o644)
	}
}
