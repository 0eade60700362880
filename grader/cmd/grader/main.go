// Command grader grades exercises of Middle Go and checks the course itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/middle-go/course/grader/internal/lint"
)

func main() {
	lint.RunVetTool()
	os.Exit(run(os.Args[1:]))
}

// Exit codes.
const (
	exitPass        = 0
	exitFail        = 1 // also rejected
	exitUsage       = 2
	exitBlocked     = 3
	exitInterrupted = 130
)

// exitError ends the program with a code. Its text, if any, is printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// errInterrupted is the cause of the context that a signal cancels.
var errInterrupted = errors.New("interrupted")

func run(args []string) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		cancel(errInterrupted)
		signal.Stop(signals) // the next one kills
	}()

	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	switch {
	case err == nil:
		return exitPass
	case errors.Is(context.Cause(ctx), errInterrupted):
		fmt.Fprintln(os.Stderr, "\ngrader: interrupted; nothing was recorded, run it again when you like")
		return exitInterrupted
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintln(os.Stderr, "grader:", exit.err)
		}
		return exit.code
	default:
		fmt.Fprintln(os.Stderr, "grader:", err)
		return exitUsage
	}
}
