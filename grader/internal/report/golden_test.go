package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/report"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "go test ./internal/report -update writes it")
	require.Empty(t, cmp.Diff(string(want), string(got)), "if the change is meant, go test ./internal/report -update writes %s", file)
}

// written returns a summary in a format, as it goes to a file or a pipe.
func written(t *testing.T, s *report.Summary, f report.Format) []byte {
	t.Helper()
	return as(t, s, f, colorprofile.NoTTY)
}

func as(t *testing.T, s *report.Summary, f report.Format, p colorprofile.Profile) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, s.Write(&colorprofile.Writer{Forward: &b, Profile: p}, f))
	return b.Bytes()
}

func TestWrite_Text(t *testing.T) {
	golden(t, "mixed.txt", written(t, mixed(), report.Text))
	golden(t, "passed.txt", written(t, passed(), report.Text))
	golden(t, "untouched.txt", written(t, untouched(), report.Text))
	golden(t, "again.txt", written(t, again(), report.Text))
	golden(t, "everything.txt", written(t, everything(), report.Text))
}

func TestWrite_Markdown(t *testing.T) {
	golden(t, "mixed.md", written(t, mixed(), report.Markdown))
	golden(t, "passed.md", written(t, passed(), report.Markdown))
	golden(t, "again.md", written(t, again(), report.Markdown))
	golden(t, "everything.md", written(t, everything(), report.Markdown))
}

func TestWrite_JSON(t *testing.T) {
	golden(t, "mixed.json", written(t, mixed(), report.JSON))
	golden(t, "again.json", written(t, again(), report.JSON))
	golden(t, "everything.json", written(t, everything(), report.JSON))
}

func TestWrite_ColoursATerminalOnly(t *testing.T) {
	require.NotContains(t, string(written(t, mixed(), report.Text)), "\x1b")
	require.Contains(t, string(as(t, mixed(), report.Text, colorprofile.ANSI)), "\x1b[")
	for _, f := range report.Formats()[1:] {
		if f == report.GitHub {
			require.NotContains(t, string(as(t, mixed(), f, colorprofile.ANSI)), "\x1b")
			continue // has a token of its own each time
		}
		require.Equal(t, written(t, mixed(), f), as(t, mixed(), f, colorprofile.ANSI), "%s has no colours", f)
	}
}

func TestWrite_JSONHasASchemaAndDecodes(t *testing.T) {
	var doc struct {
		Schema int `json:"schema"`
		report.Summary
	}
	out := written(t, mixed(), report.JSON)
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&doc))
	require.Equal(t, report.Schema, doc.Schema)
	require.Equal(t, 1, doc.Schema)

	want := mixed()
	for _, v := range want.Verdicts {
		v.Ex = nil // not part of a report
	}
	want.Path = nil
	require.Empty(t, cmp.Diff(*want, doc.Summary))
}

func TestParseFormat_NamesTheFormats(t *testing.T) {
	for _, name := range []string{"text", "json", "markdown", "junit", "sarif", "github"} {
		f, err := report.ParseFormat(name)
		require.NoError(t, err)
		require.Equal(t, report.Format(name), f)
	}
	_, err := report.ParseFormat("html")
	require.EqualError(t, err, `format "html" is unknown; the formats are text, json, markdown, junit, sarif and github`)
}
