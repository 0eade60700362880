package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/report"
)

func TestRule_ReadsLikeASentence(t *testing.T) {
	for name, want := range map[string]string{
		"TestWithTag_SiblingsDiverge":         "WithTag: siblings diverge",
		"TestStaleAfterSlotReuse":             "Stale after slot reuse",
		"TestScanner_LongerThan64K":           "Scanner: longer than 64K",
		"TestScanner_CRLFAndMissingNewline":   "Scanner: CRLF and missing newline",
		"TestScanner_DataWithEOF":             "Scanner: data with EOF",
		"TestDo_Retries3Times":                "Do: retries 3 times",
		"TestBatches_EdgeSizes/0_tasks_of_-1": "Batches: edge sizes (0 tasks of -1)",
		"FuzzArenaVsMap":                      "Arena vs map",
		"TestIDsSortByTime":                   "IDs sort by time",
	} {
		require.Equal(t, want, report.Rule(name), name)
	}
}
