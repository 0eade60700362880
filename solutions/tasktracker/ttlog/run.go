//course:since m01b

// Package ttlog is the command ttlog without the process around it.
package ttlog

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

const (
	exitOK = iota
	exitFailed
	exitUsage
	exitBadLines
)

// Run counts the requests in access logs and writes a report to stdout. args are
// the arguments behind the name of the command: flags, and the files to read.
// It returns the exit code: 0, or 1 if reading or writing failed, 2 for wrong
// arguments, 3 if a line is not in the format of the log.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cfg, err := parseArgs(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(stderr, "ttlog:", err)
		return exitUsage
	}

	report := newReport()
	code := exitOK
	for _, name := range cfg.inputs {
		if err := read(report, name, stdin, stderr); err != nil {
			fmt.Fprintf(stderr, "ttlog: %s: %v\n", name, err)
			code = exitFailed
		}
	}
	if err := cfg.write(stdout, report); err != nil {
		fmt.Fprintln(stderr, "ttlog:", err)
		return exitFailed
	}
	if code == exitOK && report.bad > 0 {
		return exitBadLines
	}
	return code
}

type config struct {
	json   bool
	top    int
	inputs []string
}

func parseArgs(args []string, stderr io.Writer) (config, error) {
	var cfg config
	flags := flag.NewFlagSet("ttlog", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&cfg.json, "json", false, "write JSON")
	flags.IntVar(&cfg.top, "top", 10, "report the `n` most frequent paths")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(stderr)
			fmt.Fprintln(stderr, "usage: ttlog [flags] [FILE ...]")
			flags.PrintDefaults()
		}
		return cfg, err
	}
	if cfg.top < 1 {
		return cfg, fmt.Errorf("-top %d: want 1 or more", cfg.top)
	}
	cfg.inputs = flags.Args()
	if len(cfg.inputs) == 0 {
		cfg.inputs = []string{"-"}
	}
	return cfg, nil
}

// read adds the file of that name to r, or stdin if it is called "-".
func read(r *report, name string, stdin io.Reader, stderr io.Writer) error {
	if name == "-" {
		return r.addLog("stdin", stdin, stderr)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.addLog(name, f, stderr)
}
