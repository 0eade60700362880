//course:since m05a

package memory_test

import (
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/infra/memory"
	"github.com/middle-go/course/tasktracker/infra/storetest"
	"github.com/middle-go/course/tasktracker/web/idempotency"
)

func TestStore_Conforms(t *testing.T) {
	tasks := func(*testing.T) storetest.TaskStore { return memory.NewTaskRepo() }
	t.Run("Tasks", func(t *testing.T) { storetest.Tasks(t, tasks) })
	t.Run("IDsAreUnique", func(t *testing.T) { storetest.IDsAreUnique(t, tasks) })
	t.Run("Users", func(t *testing.T) {
		storetest.Users(t, func(*testing.T) app.UserRepository { return memory.NewUserRepo() })
	})
	t.Run("Sessions", func(t *testing.T) {
		storetest.Sessions(t, func(*testing.T) app.SessionRepository { return memory.NewSessionRepo() })
	})
	t.Run("Attempts", func(t *testing.T) {
		storetest.Attempts(t, func(*testing.T) app.Attempts { return memory.NewAttempts() })
	})
	t.Run("Idempotency", func(t *testing.T) {
		storetest.Idempotency(t, func(_ *testing.T, ttl, inflightTTL time.Duration) idempotency.Store {
			return idempotency.NewMemoryStore(ttl, inflightTTL)
		})
	})
}
