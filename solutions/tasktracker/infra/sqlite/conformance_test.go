//course:since m05a

package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/infra/sqlite"
	"github.com/middle-go/course/tasktracker/infra/storetest"
	"github.com/middle-go/course/tasktracker/web/idempotency"
)

func TestStore_Conforms(t *testing.T) {
	for _, shards := range []int{1, 3} {
		tasks := func(t *testing.T) storetest.TaskStore { return open(t, t.TempDir(), shards).Tasks() }
		t.Run(fmt.Sprintf("Tasks/shards=%d", shards), func(t *testing.T) { storetest.Tasks(t, tasks) })
	}
	t.Run("IDsAreUnique", func(t *testing.T) {
		storetest.IDsAreUnique(t, func(t *testing.T) storetest.TaskStore { return open(t, t.TempDir(), 1).Tasks() })
	})
	t.Run("Users", func(t *testing.T) {
		storetest.Users(t, func(t *testing.T) app.UserRepository { return open(t, t.TempDir(), 1).Users() })
	})
	t.Run("Sessions", func(t *testing.T) {
		storetest.Sessions(t, func(t *testing.T) app.SessionRepository { return open(t, t.TempDir(), 1).Sessions() })
	})
	t.Run("Attempts", func(t *testing.T) {
		storetest.Attempts(t, func(t *testing.T) app.Attempts { return open(t, t.TempDir(), 1).Attempts() })
	})
	t.Run("Idempotency", func(t *testing.T) {
		storetest.Idempotency(t, func(t *testing.T, ttl, inflightTTL time.Duration) idempotency.Store {
			return open(t, t.TempDir(), 1).Idempotency(ttl, inflightTTL)
		})
	})
}

// open opens a store until the end of the test.
func open(t testing.TB, dir string, shards int) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), dir, shards)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}
