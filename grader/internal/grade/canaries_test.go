package grade_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// canaries are what hostile submissions try to touch.
type canaries struct {
	keep, outside string
	touched       atomic.Int32
}

func plantCanaries(t *testing.T) *canaries {
	t.Helper()
	const dir = "/tmp/redteam-canary"
	require.NoError(t, os.RemoveAll(dir))
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &canaries{keep: filepath.Join(dir, "home", "keep"), outside: filepath.Join(dir, "outside")}
	require.NoError(t, os.MkdirAll(filepath.Dir(c.keep), 0o755))
	require.NoError(t, os.MkdirAll(c.outside, 0o755))
	require.NoError(t, os.WriteFile(c.keep, []byte("keep"), 0o644))
	c.listen(t, "tcp", "127.0.0.1:47747")
	c.listen(t, "unix", filepath.Join(dir, "docker.sock"))
	udp, err := net.ListenPacket("udp", "127.0.0.1:47747")
	require.NoError(t, err)
	t.Cleanup(func() { udp.Close() })
	go func() {
		for {
			if _, _, err := udp.ReadFrom(make([]byte, 1)); err != nil {
				return
			}
			c.touched.Add(1)
		}
	}()
	return c
}

func (c *canaries) listen(t *testing.T, network, address string) {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.touched.Add(1)
			conn.Close()
		}
	}()
}

func (c *canaries) check(t *testing.T) {
	t.Helper()
	require.FileExists(t, c.keep)
	entries, err := os.ReadDir(c.outside)
	require.NoError(t, err)
	require.Empty(t, entries)
	require.Zero(t, c.touched.Load(), "a submission reached the network or a socket")
}

// processesIn lists the processes that run from a directory.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	exes, err := filepath.Glob("/proc/[0-9]*/exe")
	require.NoError(t, err)
	var found []string
	for _, exe := range exes {
		if target, err := os.Readlink(exe); err == nil && strings.HasPrefix(target, dir+"/") {
			found = append(found, target)
		}
	}
	return found
}
