//course:since m03b

package memory_test

import (
	"slices"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
)

func TestExpired_OldestChangeFirst(t *testing.T) {
	created := time.Date(2026, time.March, 2, 9, 40, 0, 0, time.UTC)
	before := created.Add(10 * time.Hour)
	repo := memory.NewTaskRepo()
	for i, s := range []domain.TaskState{
		{Status: domain.StatusExpired, UpdatedAt: before},
		{Status: domain.StatusExpired, UpdatedAt: before.Add(-time.Microsecond)},
		{Status: domain.StatusExpired, UpdatedAt: before.Add(-time.Hour)},
		{Status: domain.StatusExpired, UpdatedAt: before.Add(-time.Hour)},
		{Status: domain.StatusCancelled, UpdatedAt: before.Add(-2 * time.Hour)},
	} {
		s.ID = domain.TaskID("tsk_0000000000000000000000000" + string(rune('0'+i)))
		s.Owner, s.Title, s.Priority, s.Version, s.CreatedAt = "usr_ann", "Report", domain.PriorityNormal, 1, created
		task, err := domain.Restore(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := repo.Insert(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
	var got []byte
	for task, err := range repo.Expired(t.Context(), before, 10) {
		if err != nil {
			t.Fatal(err)
		}
		id := task.State().ID
		got = append(got, id[len(id)-1])
	}
	if want := []byte("231"); !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}
