package interleave_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/interleave"
)

func TestRewrite_ShowsASplitCheckAndSetInMostRounds(t *testing.T) {
	src, err := os.ReadFile("testdata/desk/main.go")
	require.NoError(t, err)
	rewritten, err := interleave.Rewrite("main.go", src)
	require.NoError(t, err)

	split, whole := unfairRounds(t, src)
	t.Logf("without points: split %d, whole %d of 300 rounds", split, whole)
	require.Zero(t, whole)

	split, whole = unfairRounds(t, rewritten)
	t.Logf("with points: split %d, whole %d of 300 rounds", split, whole)
	require.Greater(t, split, 150)
	require.Zero(t, whole)
}

// unfairRounds runs src as if it were a command of labkit, whose packages it
// may import.
func unfairRounds(t *testing.T, src []byte) (split, whole int) {
	t.Helper()
	labkit, err := filepath.Abs("../../labkit")
	require.NoError(t, err)
	dir := t.TempDir()
	file, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{
		"Replace": map[string]string{filepath.Join(labkit, "desk", "main.go"): file},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, src, 0o600))
	require.NoError(t, os.WriteFile(overlay, replace, 0o600))

	cmd := exec.Command("go", "run", "-overlay", overlay, "./desk")
	cmd.Dir = labkit
	cmd.Env = append(os.Environ(), "GRADER_INTERLEAVE=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, err = fmt.Sscan(string(out), &split, &whole)
	require.NoError(t, err, "%s", out)
	return split, whole
}
