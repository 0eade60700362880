//course:since m05a

package sqlite

import (
	"fmt"
	"testing"
	"time"
)

// SetBusyTimeout changes how long the writers of the first shard wait.
func SetBusyTimeout(t *testing.T, s *Store, timeout time.Duration) {
	pragma(t, s, "busy_timeout = %d", timeout.Milliseconds())
}

// SetMaxPages limits the size of the first shard.
func SetMaxPages(t *testing.T, s *Store, pages int) {
	pragma(t, s, "max_page_count = %d", pages)
}

func pragma(t *testing.T, s *Store, format string, value any) {
	t.Helper()
	if _, err := s.tasks.shards[0].db.Write.Exec("PRAGMA " + fmt.Sprintf(format, value)); err != nil {
		t.Fatal(err)
	}
}
