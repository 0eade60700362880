package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGradebook_ReadsWhatTheGraderWrites(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(t, "reports/bob/week-01.json", c.grader(t, "week", "1", "--format", "json").stdout)
	c.solve(t)
	c.write(t, "reports/ada.json", c.grader(t, "week", "1", "--format", "json").stdout)

	r := c.grader(t, "gradebook", "reports", "--format", "csv")
	r.shows(t, 0, "student,passed,of,hints,passed in practice only,last verdict,week01/aliasing\nada,1,1,0,")
	require.Regexp(t, `,pass\nbob,0,1,0,0,\d{4}-\d\d-\d\d,(fail|not started)\n\z`, r.stdout)
	c.grader(t, "gradebook", "reports", "--format", "markdown").shows(t, 0, "## Grade book, ", "\n| ada | 1/1 | 1 of 1 |")
	r = c.grader(t, "gradebook", "reports")
	r.shows(t, 0, "<title>Grade book of ", "Who shares this memory?")
	require.True(t, strings.HasPrefix(r.stdout, "<!DOCTYPE html>\n"))
}

func TestGradebook_NamesAFileThatIsNoReport(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(t, "reports/ada.json", c.grader(t, "week", "1", "--format", "json").stdout)
	c.write(t, "reports/bob.json", "{}")
	r := c.grader(t, "gradebook", "reports", "--format", "csv")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.stdout, "\nada,")
	r.notes(t, "bob.json: this is no report of the grader: it has no schema version")
}

func TestGradebook_ExplainsWrongUse(t *testing.T) {
	t.Parallel()
	c := copyCourse(t)
	c.write(t, "empty/notes.txt", "call ada")
	c.grader(t, "gradebook").complains(t, 2, "requires at least 1 arg(s)")
	c.grader(t, "gradebook", "nowhere").complains(t, 2, "nowhere")
	c.grader(t, "gradebook", "empty").complains(t, 2, "there are no reports; a report is what --format json writes")
	c.grader(t, "gradebook", "empty", "--format", "text").complains(t, 2, `format "text" is unknown; a grade book is written as html, markdown or csv`)
}
