package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func newRun(s *settings) *cobra.Command {
	var own bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "start the tracker and show how to talk to it",
		Long: `run builds the finished tracker of the course and starts it on SQLite files in
tasktracker-data, until Ctrl-C. With --own it starts yours, as it is now.

All variables that begin with TT_ reach the service, see its README.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.openCourse()
			if err != nil {
				return err
			}
			dir := filepath.Join(c.Root, "solutions", "tasktracker")
			if _, err := os.Stat(dir); own || err != nil {
				dir = filepath.Join(c.Root, "tasktracker")
			}
			return runTracker(cmd.Context(), dir, filepath.Join(c.Root, "bin", "tasktracker"), output())
		},
	}
	cmd.Flags().BoolVar(&own, "own", false, "start your own tracker")
	return cmd
}

// runTracker builds the tracker in dir as binary and runs it until ctx is done.
func runTracker(ctx context.Context, dir, binary string, w io.Writer) error {
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	fmt.Fprintln(w, "building the tracker; the first time this takes about a minute")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/tasktracker")
	build.Dir = dir
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build %s: %w", dir, err)
	}

	temp, err := os.MkdirTemp("", "tasktracker-run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	addrFile := filepath.Join(temp, "addr")
	tracker := exec.CommandContext(ctx, binary, "serve")
	tracker.Stdout, tracker.Stderr = os.Stdout, os.Stderr
	tracker.Env = append(os.Environ(),
		"TT_ADDR_FILE="+addrFile,
		"TT_LOG_FORMAT="+cmp.Or(os.Getenv("TT_LOG_FORMAT"), "text"),
	)
	tracker.Cancel = func() error { return tracker.Process.Signal(syscall.SIGTERM) }
	tracker.WaitDelay = time.Minute // the service has a limit of its own, and it is shorter
	if err := tracker.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- tracker.Wait() }()

	addr, err := waitForAddr(addrFile, ended)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, welcome, addr)
	if err := <-ended; err != nil && ctx.Err() == nil {
		return fmt.Errorf("the tracker has ended: %w", err)
	}
	return nil
}

const welcome = `
The tracker listens on http://%[1]s, its API is described at http://%[1]s/docs.
Ctrl-C stops it. In another terminal, register, log in and create a task:

curl -i http://%[1]s/v1/users -H 'Content-Type: application/json' -d '{"email":"ada@example.org","password":"correct horse","name":"Ada"}'
TOKEN=$(curl -s http://%[1]s/v1/sessions -H 'Content-Type: application/json' -d '{"email":"ada@example.org","password":"correct horse"}' | sed -E 's/.*"access_token":"([^"]+)".*/\1/')
curl -i http://%[1]s/v1/tasks -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"title":"Water the plants"}'

`

// waitForAddr returns the address that the tracker writes to file when it
// accepts connections.
func waitForAddr(file string, ended <-chan error) (string, error) {
	for {
		content, err := os.ReadFile(file)
		if err == nil {
			var addrs struct{ HTTP string }
			if err := json.Unmarshal(content, &addrs); err != nil {
				return "", fmt.Errorf("the file that TT_ADDR_FILE names: %w", err)
			}
			return addrs.HTTP, nil
		}
		select {
		case err := <-ended:
			return "", errors.Join(errors.New("the tracker ended before it accepted connections; what it said stands above"), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
