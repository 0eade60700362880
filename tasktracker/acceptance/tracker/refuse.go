package tracker

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Refusal is how a service ended that should not start.
type Refusal struct {
	Serves bool // it started
	Code   int  // otherwise, its exit code
	Stderr string
}

// Refuse runs a service that should refuse its configuration. It returns when
// the service has exited or has written its address file.
func Refuse(t testing.TB, env Env, args ...string) Refusal {
	t.Helper()
	path := filepath.Join(t.TempDir(), "addr.json")
	all := Env{"TT_ADDR_FILE": path}
	maps.Copy(all, env)
	tt := Launch(t, all, args...)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for giveUp := time.After(readyWithin); ; {
		select {
		case <-tt.Exited():
			return Refusal{Code: tt.Wait(t), Stderr: tt.Stderr()}
		case <-giveUp:
			t.Fatalf("the service neither served nor exited within %v", readyWithin)
		case <-look.C:
		}
		if _, err := os.Stat(path); err == nil {
			tt.Kill(t)
			return Refusal{Serves: true, Stderr: tt.Stderr()}
		}
	}
}
