//course:since m05a

package sqlite

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// Every statement that a request waits for finds its rows by an index, and every
// list comes out of one in the right order.
func TestQueries_UseTheirIndexes(t *testing.T) {
	store, err := Open(t.Context(), t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	db := store.tasks.shards[0].db.Read

	wantPlan := func(index, query string, args ...any) {
		t.Helper()
		rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		// A second step would be the sorting of all that was found.
		if len(plan) != 1 || !strings.HasPrefix(plan[0], "SEARCH tasks USING INDEX "+index) {
			t.Errorf("%s:\ngot  %q\nwant one search in an index %s", query, plan, index)
		}
	}

	for _, sort := range []domain.Sort{
		{Field: domain.SortCreated}, {Field: domain.SortCreated, Desc: true},
		{Field: domain.SortDue}, {Field: domain.SortDue, Desc: true},
		{Field: domain.SortPriority}, {Field: domain.SortPriority, Desc: true},
	} {
		for _, q := range filters() {
			q.Owner, q.Sort, q.Limit = "usr_ann", sort, 20
			query, args := listQuery(q)
			wantPlan("tasks_by_", query, args...)
		}
	}
	wantPlan("tasks_overdue ", overdueQuery, 0, 100)
	wantPlan("tasks_expired ", expiredQuery, 0, 100)
	for _, query := range []string{getQuery, versionQuery, saveQuery, removeQuery} {
		wantPlan("", query, make([]any, strings.Count(query, "?"))...)
	}
}

// filters returns queries without a filter, with one, with any two, and with all.
func filters() []domain.TaskQuery {
	now := time.Now()
	all := []func(*domain.TaskQuery){
		func(q *domain.TaskQuery) { q.Statuses = []domain.Status{domain.StatusTodo, domain.StatusBlocked} },
		func(q *domain.TaskQuery) { q.Statuses = []domain.Status{domain.StatusExpired} },
		func(q *domain.TaskQuery) { q.Priorities = []domain.Priority{domain.PriorityHigh} },
		func(q *domain.TaskQuery) { q.Label = "ops" },
		func(q *domain.TaskQuery) { q.Text = "report" },
		func(q *domain.TaskQuery) { q.DueBefore = &now },
		func(q *domain.TaskQuery) { q.Assignee = "usr_bob" },
		func(q *domain.TaskQuery) { q.Project = "prj_1" },
		func(q *domain.TaskQuery) { q.After = domain.Position{ID: "tsk_1", DueAt: &now} },
		func(q *domain.TaskQuery) { q.After = domain.Position{ID: "tsk_1"} },
	}
	var queries []domain.TaskQuery
	for i := range all {
		for j := range all[i:] {
			var q domain.TaskQuery
			all[i](&q)
			all[i+j](&q)
			queries = append(queries, q)
		}
	}
	var every domain.TaskQuery
	for _, add := range all {
		add(&every)
	}
	return append(queries, every, domain.TaskQuery{})
}

// Files of yesterday have to be found tomorrow: these numbers must not change.
func TestShardOf_IsStable(t *testing.T) {
	for _, tc := range []struct {
		owner  domain.UserID
		shards int
		want   int
	}{
		{"usr_ann", 1, 0}, {"usr_ann", 4, 1}, {"usr_bob", 4, 1}, {"usr_cid", 4, 2}, {"", 64, 37},
	} {
		if got := shardOf(tc.owner, tc.shards); got != tc.want {
			t.Errorf("shardOf(%q, %d) = %d, want %d", tc.owner, tc.shards, got, tc.want)
		}
	}
	used := map[int]bool{}
	for i := range 1000 {
		used[shardOf(domain.UserID(fmt.Sprintf("usr_%d", i)), 64)] = true
	}
	if len(used) != 64 {
		t.Errorf("1000 users are in %d of 64 shards", len(used))
	}
}

// A step of a migration that fails leaves nothing of it behind.
func TestMigrate_IsAllOrNothing(t *testing.T) {
	store, err := Open(t.Context(), t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	db := store.accounts.Write
	// The file says that it is empty, and the last table of the step is there.
	if _, err := db.Exec("DROP TABLE users; DROP TABLE sessions; PRAGMA user_version = 0"); err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), db, "accounts"); err == nil || !strings.Contains(err.Error(), "0001_accounts.sql") {
		t.Errorf("got %v, want an error that names the step", err)
	}
	var users int
	if err := db.QueryRowContext(context.Background(), "SELECT count(*) FROM sqlite_schema WHERE name = 'users'").Scan(&users); err != nil || users != 0 {
		t.Errorf("half of a step is there: %d, %v", users, err)
	}
}
