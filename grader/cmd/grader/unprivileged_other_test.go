//go:build unix && !linux

package main_test

import (
	"os"
	"os/exec"
	"testing"
)

func startUnprivileged(t *testing.T, cmd *exec.Cmd) error {
	if os.Geteuid() == 0 {
		t.Skip("nothing is read-only for root")
	}
	return cmd.Start()
}
