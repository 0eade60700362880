package cachedir_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/cachedir"
)

func TestPath_HonoursGraderCache(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GRADER_CACHE", dir)
	got, err := cachedir.Path()
	require.NoError(t, err)
	require.Equal(t, dir, got)

	t.Chdir(dir)
	t.Setenv("GRADER_CACHE", "relative")
	got, err = cachedir.Path()
	require.NoError(t, err)
	require.True(t, filepath.IsAbs(got))
	require.Equal(t, "relative", filepath.Base(got))
}

func TestPath_IsInTheUsersCacheByDefault(t *testing.T) {
	t.Setenv("GRADER_CACHE", "")
	user, err := os.UserCacheDir()
	require.NoError(t, err)
	got, err := cachedir.Path()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(user, "middle-go"), got)
}

func TestBuild_IsNotTheUsersBuildCache(t *testing.T) {
	t.Setenv("GRADER_GOCACHE", "")
	t.Setenv("GRADER_CACHE", "/cache")
	got, err := cachedir.Build()
	require.NoError(t, err)
	require.Equal(t, filepath.FromSlash("/cache/go-build"), got)

	dir := t.TempDir()
	t.Setenv("GRADER_GOCACHE", dir)
	got, err = cachedir.Build()
	require.NoError(t, err)
	require.Equal(t, dir, got)
}
