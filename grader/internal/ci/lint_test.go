package ci_test

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/require"
)

const root = "../../.."

func TestWorkflows_Lint(t *testing.T) {
	files, err := filepath.Glob(root + "/.github/workflows/*.yml")
	require.NoError(t, err)
	require.Len(t, files, 3)
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	require.NoError(t, err)
	project, err := actionlint.NewProject(root)
	require.NoError(t, err)
	problems, err := linter.LintFiles(files, project)
	require.NoError(t, err)
	for _, p := range problems {
		t.Error(p)
	}
}
