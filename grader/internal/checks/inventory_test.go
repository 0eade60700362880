package checks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/toolchain"
)

var sample = Inventory{
	"TestA": false, "TestA/with_a_(strange)_name#01": false, "TestB": true, "TestB/zero": true, "TestC": false, "TestC/alloc": true,
}

const sampleText = `# Tests that a submission must pass. Recorded by: grader verify --record
TestA
TestA/with_a_(strange)_name#01
TestB	norace
TestB/zero	norace
TestC
TestC/alloc	norace
`

// saveInventory writes a record as that of the exercise ring.
func saveInventory(t *testing.T, text string) (root string) {
	t.Helper()
	root = t.TempDir()
	name := InventoryFile(root, ring())
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	return root
}

func TestInventory_SurvivesARoundTrip(t *testing.T) {
	require.Equal(t, sampleText, string(sample.Bytes()))
	loaded, err := LoadInventory(saveInventory(t, sampleText), ring())
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(sample, loaded))
}

func TestInventoryFile_IsNamedAfterTheExercise(t *testing.T) {
	require.Equal(t, filepath.Join("root", "grader", "inventory", "week01-ring.txt"), InventoryFile("root", ring()))
	m := &course.Exercise{Kind: course.Project, Slug: "m01a"}
	require.Equal(t, filepath.Join("root", "grader", "inventory", "m01a.txt"), InventoryFile("root", m))
}

func TestLoadInventory_OfAnExerciseWithoutOneIsEmpty(t *testing.T) {
	inv, err := LoadInventory(t.TempDir(), ring())
	require.NoError(t, err)
	require.Equal(t, Inventory{}, inv)
}

func TestLoadInventory_SkipsCommentsAndEmptyLines(t *testing.T) {
	inv, err := LoadInventory(saveInventory(t, "# a\n\n  TestA  \r\n\t\nTestB\tnorace"), ring())
	require.NoError(t, err)
	require.Equal(t, Inventory{"TestA": false, "TestB": true}, inv)
}

func TestLoadInventory_NamesTheDamagedLine(t *testing.T) {
	root := saveInventory(t, "TestA\nTestB\tsometimes\n")
	_, err := LoadInventory(root, ring())
	require.EqualError(t, err, InventoryFile(root, ring())+`:2: mark "sometimes" is unknown; write "norace" or nothing`)
}

func TestInventory_TellsTheBuildsApart(t *testing.T) {
	top, sub := sample.Tests()
	require.Equal(t, 3, top)
	require.Equal(t, 3, sub)
	require.Equal(t, map[string]bool{"TestA": true, "TestA/with_a_(strange)_name#01": true, "TestC": true}, sample.in(true))
	require.Len(t, sample.in(false), len(sample))
	require.Equal(t, []string{"TestB", "TestC"}, sample.plainTops())
	require.True(t, sample.Plain("TestC/alloc"))
	require.False(t, sample.Plain("TestC"))
	require.False(t, sample.Plain("TestUnknown"))
}

func TestRecord_MarksWhatTheRaceDetectorMakesSkip(t *testing.T) {
	race := &toolchain.Run{Tests: []toolchain.Test{
		{Name: "TestA", Outcome: toolchain.Passed}, {Name: "TestB", Outcome: toolchain.Skipped}, {Name: "TestD", Outcome: toolchain.Failed},
	}}
	plain := &toolchain.Run{Tests: []toolchain.Test{
		{Name: "TestA", Outcome: toolchain.Passed}, {Name: "TestB", Outcome: toolchain.Passed}, {Name: "TestC", Outcome: toolchain.Skipped},
	}}
	require.Equal(t, Inventory{"TestA": false, "TestB": true}, Record(race, plain))
}
