package record_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/record"
)

func openRecord(t *testing.T, root string) *record.Record {
	t.Helper()
	r, err := record.Open(root)
	require.NoError(t, err)
	return r
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func TestRecord_SurvivesSaveAndOpen(t *testing.T) {
	root := t.TempDir()
	r := openRecord(t, root)
	require.Empty(t, r.Exercises)
	r.Entry("week01/ring").HintsShown = 2
	r.Add(&grade.Verdict{Exercise: "week01/ring", Status: checks.Fail, At: at(0)})
	r.Add(&grade.Verdict{Exercise: "m01a", Status: checks.Pass, At: at(1)})
	require.NoError(t, r.Save())

	want := map[string]*record.Entry{
		"week01/ring": {HintsShown: 2, Status: checks.Fail, FirstRed: at(0)},
		"m01a":        {Status: checks.Pass, FirstGreen: at(1)},
	}
	require.Empty(t, cmp.Diff(want, openRecord(t, root).Exercises))
	text, err := os.ReadFile(filepath.Join(root, ".grader", "record.json"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "0001-01-01", "a time that never was")
}

func TestAdd_KeepsTheFirstRedAndTheFirstGreen(t *testing.T) {
	r := openRecord(t, t.TempDir())
	for i, v := range []grade.Verdict{
		{Status: checks.Fail, Untouched: true}, // the stub's failure is not the student's
		{Status: checks.Rejected},
		{Status: checks.Blocked},
		{Status: checks.Fail}, // 3
		{Status: checks.Fail},
		{Status: checks.Pass}, // 5
		{Status: checks.Fail},
		{Status: checks.Pass},
	} {
		v.Exercise, v.At = "week01/ring", at(i)
		r.Add(&v)
		require.Equal(t, v.Status, r.Entry("week01/ring").Status)
		require.Equal(t, v.Untouched, r.Entry("week01/ring").Untouched)
	}
	require.Empty(t, cmp.Diff(&record.Entry{Status: checks.Pass, FirstRed: at(3), FirstGreen: at(5)}, r.Entry("week01/ring")))
}

func TestOpen_SaysWhatToDoAboutADamagedRecord(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, ".grader", "record.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	for text, why := range map[string]string{
		`{"exercises": {`:                        "unexpected end of JSON input",
		"":                                       "unexpected end of JSON input",
		`{"exercises": {"m01a": {"status": 3}}}`: "cannot unmarshal number",
		`{"exercises": {"m01a": {"first_red": 3}}}`: "Time.UnmarshalJSON",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		_, err := record.Open(root)
		require.ErrorContains(t, err, file+" is damaged (")
		require.ErrorContains(t, err, why)
		require.ErrorContains(t, err, "; remove it to start a new record")
	}
}

func TestOpen_TakesARecordWithGaps(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, ".grader", "record.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	for _, text := range []string{`{}`, `null`, `{"exercises": null}`, `{"exercises": {"m01a": null}}`} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		r := openRecord(t, root)
		r.Add(&grade.Verdict{Exercise: "m01a", Status: checks.Pass, At: at(0)})
		require.NoError(t, r.Save(), text)
		require.Equal(t, at(0), openRecord(t, root).Entry("m01a").FirstGreen)
	}
}

func TestSave_SaysThatTheRecordIsNotKept(t *testing.T) {
	root := t.TempDir()
	r := openRecord(t, root)
	// A file where the directory should be fails for root too.
	require.NoError(t, os.WriteFile(filepath.Join(root, ".grader"), nil, 0o644))
	require.ErrorContains(t, r.Save(), "the record of hints and verdicts is not kept: ")
}

func TestOpen_FollowsNoLinks(t *testing.T) {
	for _, link := range []struct{ name, target string }{{".grader", "elsewhere"}, {filepath.Join(".grader", "record.json"), os.DevNull}} {
		root := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(root, "elsewhere"), 0o755))
		name := filepath.Join(root, link.name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		if err := os.Symlink(link.target, name); err != nil {
			t.Skip("no symbolic links here:", err)
		}
		_, err := record.Open(root)
		require.EqualError(t, err, name+" is neither a file nor a directory; remove it to start a new record")
	}
}

func TestNextHint_StaysAtTheLast(t *testing.T) {
	var e record.Entry
	for _, want := range []int{1, 2, 3, 3} {
		n, again := e.NextHint(3)
		require.Equal(t, want, n)
		require.Equal(t, e.HintsShown == 3, again)
		e.Showed(n)
	}
	e.Showed(1)
	require.Equal(t, 3, e.HintsShown)

	for shown, want := range map[int]int{-7: 1, 99: 3} { // a record that somebody has edited
		e.HintsShown = shown
		n, _ := e.NextHint(3)
		require.Equal(t, want, n)
	}
}
