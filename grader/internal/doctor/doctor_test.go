package doctor

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAtLeast_ComparesMinorVersions(t *testing.T) {
	for _, c := range []struct {
		have, want string
		ok         bool
	}{
		{"go1.26", "go1.26", true},
		{"go1.26.8", "go1.26", true},
		{"go1.27rc1", "go1.26", true},
		{"go1.100.1", "go1.26", true},
		{"go1.25.9", "go1.26", false},
		{"go1.9", "go1.26", false},
		{"go1.3", "go1.26", false},
		{"devel go1.27-abcdef0 Mon Nov 23", "go1.26", true},
		{"go2.0", "go1.26", true},
		{"go1.26", "nonsense", false},
	} {
		require.Equal(t, c.ok, atLeast(c.have, c.want), "%s, wanted %s", c.have, c.want)
	}
}

func TestExamine_SaysWhatIsLostAndHowToMendIt(t *testing.T) {
	t.Setenv("GRADER_CACHE", t.TempDir())
	items := Examine(t.Context())
	require.NotEmpty(t, items)
	for _, item := range items {
		require.NotEmpty(t, item.Name)
		require.NotEmpty(t, item.Found, item.Name)
		require.NotEmpty(t, item.Blocks, item.Name)
		require.True(t, item.OK || item.Fix != "" || item.Name == "box", "%s cannot be mended", item.Name)
	}
	require.Equal(t, "go", items[0].Name)
	require.True(t, items[0].OK, "this test runs on %s", items[0].Found)
}

func TestCacheItem_TriesToWrite(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GRADER_CACHE", dir)
	item := cacheItem()
	require.True(t, item.OK)
	require.Equal(t, dir, item.Found)

	t.Setenv("GRADER_CACHE", filepath.Join("doctor_test.go", "below a file"))
	item = cacheItem()
	require.False(t, item.OK)
	require.Contains(t, item.Found, "cannot be written")
}

func TestTool_LooksInThePath(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	item := tool("make", "the short commands", false)
	require.False(t, item.OK)
	require.Equal(t, "not found", item.Found)
	require.NotEmpty(t, item.Fix)
}
