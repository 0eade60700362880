//course:since m05a

package storetest

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

const (
	randomTasks   = 150
	randomQueries = 300
)

// model answers a query as package domain defines the answer.
func model(all []domain.TaskState, q domain.TaskQuery) []domain.TaskState {
	page := []domain.TaskState{}
	for _, s := range all {
		if q.Matches(s) {
			page = append(page, s)
		}
	}
	slices.SortFunc(page, func(a, b domain.TaskState) int {
		return q.Sort.Compare(domain.PositionOf(a), domain.PositionOf(b))
	})
	return page[:min(max(q.Limit, 0), len(page))]
}

func listEqualsTheModel(t *testing.T, store TaskStore) {
	rng := random(t)
	all := fill(t, store, rng)
	for range randomQueries {
		q := randomQuery(rng)
		got, want := list(t, store, q), model(all, q)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("list %+v:\ngot  %v\nwant %v", q, idsOf(got), idsOf(want))
		}
	}
}

func listPagesMissNothing(t *testing.T, store TaskStore) {
	rng := random(t)
	all := fill(t, store, rng)
	for _, order := range orders {
		q := domain.TaskQuery{Owner: ann, Sort: order, Limit: 7}
		var got []domain.TaskState
		for {
			page := list(t, store, q)
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			q.After = domain.PositionOf(page[len(page)-1])
		}
		want := model(all, domain.TaskQuery{Owner: ann, Sort: order, Limit: len(all)})
		if !reflect.DeepEqual(got, want) {
			t.Errorf("pages in the order %+v:\ngot  %v\nwant %v", order, idsOf(got), idsOf(want))
		}
	}
}

var (
	orders = []domain.Sort{
		{Field: domain.SortCreated}, {Field: domain.SortCreated, Desc: true},
		{Field: domain.SortDue}, {Field: domain.SortDue, Desc: true},
		{Field: domain.SortPriority}, {Field: domain.SortPriority, Desc: true},
	}
	owners     = []domain.UserID{ann, ann, bob, cid}
	projects   = []domain.ProjectID{"", "prj_1", "PRJ_1"}
	statuses   = []domain.Status{domain.StatusTodo, domain.StatusInProgress, domain.StatusBlocked, domain.StatusDone, domain.StatusCancelled, domain.StatusExpired}
	priorities = []domain.Priority{domain.PriorityLow, domain.PriorityNormal, domain.PriorityHigh, domain.PriorityUrgent}
	labels     = []string{"a", "ab", "b", "a-b", "a_b"}

	// What a pattern of SQL, another collation or another idea of lower case
	// would get wrong.
	words = []string{"Straße", "STRASSE", "İstanbul", "istanbul", "ΣΊΣΥΦΟΣ", "σίσυφος", "300 K", "300 \u212a", "50%", "a_b", `"quoted"`, "Ünïcode", "unicode", "'; --", "back\\slash", "Write", "write", "\ufffd"}
	parts = append(slices.Clone(words), "ß", "SS", "i\u0307", "k", "%", "_", "'", `\`, "", "rIt", "\x00", "\xff", "\n", "nowhere")
)

func fill(t *testing.T, store TaskStore, rng *rand.Rand) []domain.TaskState {
	t.Helper()
	newID := ids()
	unsorted := make([]domain.TaskID, randomTasks)
	for i := range unsorted {
		unsorted[i] = newID()
	}
	rng.Shuffle(len(unsorted), func(i, j int) { unsorted[i], unsorted[j] = unsorted[j], unsorted[i] })
	all := make([]domain.TaskState, randomTasks)
	for i, id := range unsorted {
		given := task(t, id, func(s *domain.TaskState) { randomize(s, rng) })
		must(t, store.Insert(t.Context(), given))
		all[i] = given.State()
	}
	return all
}

func randomize(s *domain.TaskState, rng *rand.Rand) {
	s.Owner, s.Project, s.Assignee = pick(rng, owners), pick(rng, projects), pick(rng, []domain.UserID{"", bob})
	s.Title, s.Description = pick(rng, words), pick(rng, words)+"\n"+pick(rng, words)
	s.Status, s.Priority = pick(rng, statuses), pick(rng, priorities)
	s.Labels = some(rng, labels)
	s.UpdatedAt = moment(rng)
	if rng.IntN(3) > 0 {
		s.DueAt = new(moment(rng))
	}
	if s.Status == domain.StatusDone {
		s.CompletedAt = new(s.UpdatedAt)
	}
}

func randomQuery(rng *rand.Rand) domain.TaskQuery {
	q := domain.TaskQuery{Owner: pick(rng, owners), Sort: pick(rng, orders), Limit: rng.IntN(randomTasks) - 1}
	sometimes := func(set func()) {
		if rng.IntN(4) == 0 {
			set()
		}
	}
	sometimes(func() { q.Statuses = append(some(rng, statuses), domain.Status(9)) })
	sometimes(func() { q.Priorities = append(some(rng, priorities), domain.Priority(9)) })
	sometimes(func() { q.Label = pick(rng, append(labels, `a","ab`, "A", "%", `"`)) })
	sometimes(func() { q.Text = pick(rng, parts) })
	sometimes(func() { q.DueBefore = new(moment(rng).Add(time.Duration(rng.IntN(3)) * 500)) })
	sometimes(func() { q.Assignee = bob })
	sometimes(func() { q.Project = pick(rng, projects) })
	sometimes(func() {
		q.After = domain.Position{ID: pick(rng, []domain.TaskID{"a", "tsk_00000000000000000000000077", "z"}), Priority: pick(rng, priorities)}
		if rng.IntN(3) > 0 {
			q.After.DueAt = new(moment(rng))
		}
	})
	return q
}

// moment returns one of few moments, so that many are equal.
func moment(rng *rand.Rand) time.Time {
	return t0.Add(time.Duration(rng.IntN(5)) * time.Microsecond)
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// some returns about half of the elements.
func some[T any](rng *rand.Rand, from []T) []T {
	return slices.DeleteFunc(slices.Clone(from), func(T) bool { return rng.IntN(2) == 0 })
}

func idsOf(states []domain.TaskState) []domain.TaskID {
	ids := make([]domain.TaskID, len(states))
	for i, s := range states {
		ids[i] = s.ID
	}
	return ids
}
