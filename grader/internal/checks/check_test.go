package checks

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecide_MakesTextOfASubmissionPrintable(t *testing.T) {
	r := decide("tests", []Finding{{Message: "\x1b[2Jfailed", Detail: "got: a\tb\r\x1b[31mc\x1b[0m\nnext"}}, "")
	require.Equal(t, "failed", r.Findings[0].Message)
	require.Equal(t, "got: a    bc\nnext", r.Findings[0].Detail)
	require.Equal(t, "tests", r.Findings[0].Check)

	r = decide("tests", []Finding{{Rule: "TestX/\x1b[2J\n# forged", File: "a\r\nb.go", Message: "one\ntwo"}}, "")
	require.Equal(t, "TestX/ # forged", r.Findings[0].Rule)
	require.Equal(t, "a b.go", r.Findings[0].File)
	require.Equal(t, "one two", r.Findings[0].Message)
}

func TestDecide_FailsUnlessEverythingIsStretch(t *testing.T) {
	require.Equal(t, Pass, decide("tests", nil, "").Status)
	require.Equal(t, Pass, decide("tests", []Finding{{Stretch: true}}, "").Status)
	require.Equal(t, Fail, decide("tests", []Finding{{Stretch: true}, {}}, "").Status)
}

func TestInterval_DecidesOnlyOnOneSideOfTheThreshold(t *testing.T) {
	i := Interval{Center: 2, Low: 1.8, High: 2.2}
	require.Equal(t, Pass, i.Against(1.8))
	require.Equal(t, Unproven, i.Against(2))
	require.Equal(t, Unproven, i.Against(2.23), "closer than a measurement can tell")
	require.Equal(t, Fail, i.Against(2.3))
}

func TestJudge_MeasuresAgainOnceWhenUndecided(t *testing.T) {
	calls := 0
	s, _, err := Judge(2, func() ([]float64, error) {
		calls++
		return []float64{1.5, 2.5, 1.9, 2.1, 2.0, 1.8, 2.2, 1.7, 2.3, 2.0}, nil
	})
	require.NoError(t, err)
	require.Equal(t, Unproven, s)
	require.Equal(t, 2, calls)
}
