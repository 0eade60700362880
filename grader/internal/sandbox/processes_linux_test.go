package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/sandbox"
)

// stay is a program that says in the directory $0 that it has started, and stays.
const stay = `sh -c 'echo > $0/started; sleep 300; :' `

func TestRun_LeavesNoProcess(t *testing.T) {
	for name, start := range map[string]string{
		"in the group":  stay + "%s >/dev/null 2>&1 &",
		"its own group": "setsid " + stay + "%s >/dev/null 2>&1 &",
		"an orphan":     "(setsid " + stay + "%s >/dev/null 2>&1 &) &",
	} {
		eachBox(t, name, func(t *testing.T) {
			reach := family(t)
			dir := reach.Write[0]
			r := run(t, sandbox.Command{Reach: reach}, fmt.Sprintf(start, dir)+" while [ ! -e "+dir+"/started ]; do :; done; exit 3")
			require.Equal(t, 3, r.Code, string(r.Output))
			require.Empty(t, runningWith(t, dir))
		})
	}
}

func TestRun_CancelKillsAllOfIt(t *testing.T) {
	eachBox(t, "", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		reach := family(t)
		dir := reach.Write[0]
		done := make(chan sandbox.Result)
		go func() {
			r, _ := sandbox.Run(ctx, shell(sandbox.Command{Reach: reach}, "setsid "+stay+dir+" & wait"))
			done <- r
		}()
		require.Eventually(t, func() bool {
			_, err := os.Stat(filepath.Join(dir, "started"))
			return err == nil
		}, 10*time.Second, time.Millisecond)
		cancel()
		require.Equal(t, sandbox.Cancelled, (<-done).End)
		require.Empty(t, runningWith(t, dir))
	})
}

// eachBox runs test in the whole box, and in the one of a system without
// namespaces.
func eachBox(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(strings.TrimSpace(name+" whole box"), test)
	t.Run(strings.TrimSpace(name+" no namespaces"), func(t *testing.T) {
		sandbox.WithoutNamespaces(t)
		test(t)
	})
}

// runningWith lists the processes whose command line contains text.
func runningWith(t *testing.T, text string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		if line, err := os.ReadFile(file); err == nil && strings.Contains(string(line), text) {
			found = append(found, string(line))
		}
	}
	return found
}
