//course:since m05a

package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/infra/memory"
	"github.com/middle-go/course/tasktracker/infra/system"
)

// eachStore runs a benchmark on both stores, which hold 10,000 tasks of 10
// users.
func eachStore(b *testing.B, run func(b *testing.B, store app.TaskRepository)) {
	for name, store := range map[string]app.TaskRepository{
		"memory": memory.NewTaskRepo(),
		"sqlite": open(b, b.TempDir(), 1).Tasks(),
	} {
		for n := range 10_000 {
			owner := domain.UserID(fmt.Sprintf("usr_%d", n%10))
			if err := store.Insert(b.Context(), newTask(b, owner, n)); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name, func(b *testing.B) { run(b, store) })
	}
}

func BenchmarkInsert(b *testing.B) {
	eachStore(b, func(b *testing.B, store app.TaskRepository) {
		for b.Loop() {
			id, err := system.IDs{}.NewTaskID()
			if err != nil {
				b.Fatal(err)
			}
			task, err := domain.NewTask(id, "usr_1", "Write the report", created)
			if err != nil {
				b.Fatal(err)
			}
			if err := store.Insert(b.Context(), task); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	eachStore(b, func(b *testing.B, store app.TaskRepository) {
		id := newTask(b, "usr_1", 4321).State().ID
		for b.Loop() {
			if _, err := store.Get(b.Context(), "usr_1", id); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSave(b *testing.B) {
	eachStore(b, func(b *testing.B, store app.TaskRepository) {
		task := newTask(b, "usr_1", 4321)
		for b.Loop() {
			version := task.State().Version
			if err := task.Rename(fmt.Sprint("Write report ", version), created); err != nil {
				b.Fatal(err)
			}
			if err := store.Save(b.Context(), task, version); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkList50(b *testing.B) {
	eachStore(b, func(b *testing.B, store app.TaskRepository) {
		q := domain.TaskQuery{Owner: "usr_1", Sort: domain.Sort{Field: domain.SortDue, Desc: true}, Limit: 50}
		for b.Loop() {
			page, err := store.List(b.Context(), q)
			if err != nil || len(page) != 50 {
				b.Fatal(len(page), err)
			}
		}
	})
}
