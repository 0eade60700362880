package proc

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCapture_KeepsTheEndOfALongOutput(t *testing.T) {
	var c capture
	line := strings.Repeat("x", 1023) + "\n"
	for range 3 * captureLimit / len(line) {
		c.keep([]byte(line))
	}
	c.keep([]byte("last\n"))
	require.LessOrEqual(t, len(c.String()), 2*captureLimit)
	require.GreaterOrEqual(t, len(c.String()), captureLimit)
	require.True(t, strings.HasSuffix(c.String(), "x\nlast\n"))
}

func TestTail_ReturnsTheLastLines(t *testing.T) {
	require.Equal(t, "...\nb\nc", tail("a\nb\nc\n", 2))
	require.Equal(t, "a\nb\nc", tail("a\nb\nc\n", 3))
	require.Equal(t, "", tail("", 3))
}
