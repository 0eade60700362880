package m01b_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/domain"
)

// orders are all orders of a list, as Go code too.
var orders = []struct {
	sort   domain.Sort
	source string
}{
	{domain.Sort{}, "domain.Sort{}"},
	{domain.Sort{Desc: true}, "domain.Sort{Desc: true}"},
	{domain.Sort{Field: domain.SortDue}, "domain.Sort{Field: domain.SortDue}"},
	{domain.Sort{Field: domain.SortDue, Desc: true}, "domain.Sort{Field: domain.SortDue, Desc: true}"},
	{domain.Sort{Field: domain.SortPriority}, "domain.Sort{Field: domain.SortPriority}"},
	{domain.Sort{Field: domain.SortPriority, Desc: true}, "domain.Sort{Field: domain.SortPriority, Desc: true}"},
}

// mixed returns n tasks of Ann that differ in all that a list is sorted by. They
// are not in the order of their ids.
func mixed(t *testing.T, n int) []domain.TaskState {
	t.Helper()
	var all []domain.TaskState
	for i := range n {
		s := state(t, ann, 10+10*(i*7%n))
		s.Priority = domain.PriorityLow + domain.Priority(i%4)
		if s.DueAt = new(created.Add(time.Duration(i%3) * time.Hour)); i%5 == 4 {
			s.DueAt = nil
		}
		all = append(all, s)
	}
	return all
}

func sorted(all []domain.TaskState, by domain.Sort) []domain.TaskState {
	return slices.SortedFunc(slices.Values(all), func(a, b domain.TaskState) int {
		return by.Compare(domain.PositionOf(a), domain.PositionOf(b))
	})
}

func TestRepo_ListOrder(t *testing.T) {
	all := mixed(t, 11)
	repo := repoWith(t, all...)
	for _, o := range orders {
		do := fmt.Sprintf("repo.List(ctx, domain.TaskQuery{Owner: owner, Sort: %s, Limit: 11})", o.source)
		got := list(t, repo, do, domain.TaskQuery{Owner: ann, Sort: o.sort, Limit: 11})
		sameTitles(t, do, titles(sorted(all, o.sort)), got, "A map has no order: without a sort the same page is another one each time.")

		do = fmt.Sprintf("repo.List(ctx, domain.TaskQuery{Owner: owner, Sort: %s, Limit: 4})", o.source)
		got = list(t, repo, do, domain.TaskQuery{Owner: ann, Sort: o.sort, Limit: 4})
		sameTitles(t, do, titles(sorted(all, o.sort)[:4]), got, "Sort first, then cut: the page is the first tasks of all, not four tasks in order.")
	}
}

func TestRepo_ListStableUnderInserts(t *testing.T) {
	const why = "A reader goes from page to page while others work. A task that stays where it is must come exactly once."
	for _, o := range orders {
		t.Run(o.source, func(t *testing.T) {
			all := mixed(t, 12)
			repo := repoWith(t, all...)
			fresh := all[0]
			var seen []domain.TaskState
			q := domain.TaskQuery{Owner: ann, Sort: o.sort, Limit: 3}
			for page := 1; ; page++ {
				if page > len(all) {
					rule.Broken(t, rule.Case{Do: "// page after page, until one is empty", Got: rule.Text("no end"), Want: rule.Text("an end"), Why: why})
				}
				do := fmt.Sprintf("repo.List(ctx, domain.TaskQuery{Owner: owner, Sort: %s, After: last, Limit: 3}) // page %d", o.source, page)
				got := list(t, repo, do, q)
				if len(got) == 0 {
					break
				}
				seen = append(seen, got...)
				last := got[len(got)-1]
				q.After = domain.PositionOf(last)
				// The last task of the page goes, and one comes at the place of the
				// first: behind it in time, but on a page that is over.
				works(t, "err := repo.Delete(ctx, owner, lastOfThePage, 0)", repo.Delete(t.Context(), ann, last.ID, 0), "The task is there.")
				if page == 1 {
					fresh = got[0]
					fresh.ID, fresh.Title = taskID(t, idNumber(got[0], o.sort.Desc)), "new"
					works(t, "err := repo.Insert(ctx, task)", repo.Insert(t.Context(), restore(t, fresh)), "The id is new.")
				}
			}
			sameTitles(t, "// page after page by "+o.source+", each After the last task of the one before.\n"+
				"// After each page its last task is deleted, after the first a new one comes in front.",
				titles(sorted(all, o.sort)), seen, why)
		})
	}
}

// idNumber returns the number of an id in front of s.
func idNumber(s domain.TaskState, desc bool) int {
	var n int
	fmt.Sscanf(s.Title, "Task %d", &n)
	if desc {
		return n + 1
	}
	return n - 1
}

func TestRepo_ListLimitEdges(t *testing.T) {
	all := mixed(t, 5)
	repo := repoWith(t, all...)
	for _, o := range orders {
		for _, tc := range []struct {
			limit  int
			source string
			want   int
		}{
			{math.MinInt, "math.MinInt", 0},
			{-1, "-1", 0},
			{0, "0", 0},
			{1, "1", 1},
			{4, "4", 4},
			{5, "5", 5},
			{6, "6", 5},
			{math.MaxInt, "math.MaxInt", 5},
		} {
			do := fmt.Sprintf("repo.List(ctx, domain.TaskQuery{Owner: owner, Sort: %s, Limit: %s}) // there are 5", o.source, tc.source)
			var got []domain.TaskState
			if p := panicOf(func() { got = list(t, repo, do, domain.TaskQuery{Owner: ann, Sort: o.sort, Limit: tc.limit}) }); p != nil {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("panic: %v", p), Want: rule.Textf("%d tasks", tc.want), Why: "A limit is an upper bound, from a stranger perhaps. Do not make room for it."})
			}
			sameTitles(t, do, titles(sorted(all, o.sort)[:tc.want]), got, "A limit below 1 is no tasks, and one above all there are is all.")
		}
	}
}

func panicOf(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

func TestRepo_ListFilters(t *testing.T) {
	urgent := state(t, ann, 1)
	urgent.Title, urgent.Priority, urgent.Assignee, urgent.Project = "Renew the Certificate", domain.PriorityUrgent, bob, "prj_1"
	blocked := state(t, ann, 2)
	blocked.Title, blocked.Status, blocked.Labels, blocked.Description, blocked.DueAt = "Call", domain.StatusBlocked, []string{"home"}, "about the certificate", nil
	foreign := state(t, bob, 3)
	foreign.Title = "certificate of Bob"
	repo := repoWith(t, urgent, blocked, foreign)

	for _, tc := range []struct {
		source string
		query  domain.TaskQuery
		want   []string
	}{
		{"", domain.TaskQuery{}, []string{urgent.Title, blocked.Title}},
		{"Statuses: []domain.Status{domain.StatusBlocked}", domain.TaskQuery{Statuses: []domain.Status{domain.StatusBlocked}}, []string{blocked.Title}},
		{"Statuses: []domain.Status{domain.StatusDone}", domain.TaskQuery{Statuses: []domain.Status{domain.StatusDone}}, nil},
		{"Priorities: []domain.Priority{domain.PriorityUrgent}", domain.TaskQuery{Priorities: []domain.Priority{domain.PriorityUrgent}}, []string{urgent.Title}},
		{`Label: "home"`, domain.TaskQuery{Label: "home"}, []string{blocked.Title}},
		{`Text: "CERTIFICATE"`, domain.TaskQuery{Text: "CERTIFICATE"}, []string{urgent.Title, blocked.Title}},
		{"DueBefore: due of the first", domain.TaskQuery{DueBefore: urgent.DueAt}, nil},
		{"DueBefore: a microsecond later", domain.TaskQuery{DueBefore: new(urgent.DueAt.Add(time.Microsecond))}, []string{urgent.Title}},
		{"Assignee: bob", domain.TaskQuery{Assignee: bob}, []string{urgent.Title}},
		{`Project: "prj_1"`, domain.TaskQuery{Project: "prj_1"}, []string{urgent.Title}},
		{`Label: "ops", Text: "call"`, domain.TaskQuery{Label: "ops", Text: "call"}, nil},
	} {
		q := tc.query
		q.Owner, q.Limit = ann, 10
		do := fmt.Sprintf("repo.List(ctx, domain.TaskQuery{Owner: ann, Limit: 10, %s})", tc.source)
		sameTitles(t, do, tc.want, list(t, repo, do, q), "A task on the list meets all conditions: q.Matches tells.")
	}
}
