package verify

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/grader/internal/mutate"
)

func TestMutantsAreSortedByFateAndList(t *testing.T) {
	dead := mutate.Mutant{ID: 1, Func: "F", Was: "x < 1", Is: "x <= 1"}
	known := mutate.Mutant{ID: 2, Func: "F", Was: "x + 1", Is: "x - 1"}
	second := mutate.Mutant{ID: 3, Func: "F", Was: "x + 1", Is: "x - 1", Ordinal: 2}
	listed := []Survivor{
		{Mutant: "F: x + 1 => x - 1", Why: "only the first of the two is known"},
		{Mutant: "F: x < 1 => x <= 1", Why: "was alive once"},
		{Mutant: "F: gone => removed", Why: "is no longer in the code"},
	}
	var got Mutation
	got.sort([]mutate.Mutant{dead, known, second}, map[int]bool{2: true, 3: true}, listed)
	want := Mutation{
		Killed:    1,
		Listed:    listed[:1],
		Survivors: []mutate.Mutant{second},
		Stale:     []string{"F: x < 1 => x <= 1", "F: gone => removed"},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
