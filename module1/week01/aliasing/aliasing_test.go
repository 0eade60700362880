package aliasing_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/gctest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week01/aliasing"
)

func TestBatches_AppendDoesNotReachNeighbour(t *testing.T) {
	tasks := numbered(4)
	batches := aliasing.Batches(tasks, 2)
	requireBatches(t, batches, 2)

	_ = append(batches[0], aliasing.Task{ID: 99})

	if got := batches[1][0].ID; got != 3 {
		rule.Broken(t, rule.Case{
			Do: `tasks := []Task{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}}
b := Batches(tasks, 2)
_ = append(b[0], Task{ID: 99})
fmt.Println(b[1][0].ID)`,
			Got:  got,
			Want: 3,
			Why:  "The batches share one array. A batch that has spare capacity lets append write into the next one.",
		})
	}
}

func TestBatches_SharesElements(t *testing.T) {
	tasks := numbered(5)
	batches := aliasing.Batches(tasks, 2)
	requireBatches(t, batches, 3)

	k := 0
	for i, batch := range batches {
		for j := range batch {
			if &batch[j] != &tasks[k] {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("b := Batches(tasks, 2)\nfmt.Println(&b[%d][%d] == &tasks[%d])", i, j, k),
					Got:  false,
					Want: true,
					Why:  "An export of a million tasks must not copy a million tasks: batches are windows on the caller's slice.",
				})
			}
			k++
		}
	}
}

func TestBatches_EdgeSizes(t *testing.T) {
	for _, tc := range []struct {
		n, size int
		want    []int // lengths of the batches
	}{
		{n: 0, size: 3},
		{n: 1, size: 3, want: []int{1}},
		{n: 3, size: 0},
		{n: 3, size: -1},
		{n: 3, size: 1, want: []int{1, 1, 1}},
		{n: 3, size: 2, want: []int{2, 1}},
		{n: 3, size: 3, want: []int{3}},
		{n: 3, size: 4, want: []int{3}},
		{n: 3, size: math.MaxInt, want: []int{3}},
	} {
		t.Run(fmt.Sprintf("%d tasks in batches of %d", tc.n, tc.size), func(t *testing.T) {
			batches := aliasing.Batches(numbered(tc.n), tc.size)
			if tc.want == nil && batches != nil {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("Batches(tasks, %d) == nil // %d tasks", tc.size, tc.n),
					Got:  false,
					Want: true,
					Why:  "The exporter answers 204 for nil, and an empty file for anything else.",
				})
			}
			var got []int
			for _, batch := range batches {
				got = append(got, len(batch))
			}
			if !slices.Equal(got, tc.want) {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("Batches(tasks, %d) // %d tasks", tc.size, tc.n),
					Got:  rule.Textf("batches of %v tasks", got),
					Want: rule.Textf("batches of %v tasks", tc.want),
					Why:  "A lost or empty batch is a lost or empty export file.",
				})
			}
		})
	}
}

func TestBatches_AllocatesOnce(t *testing.T) {
	tasks := numbered(100)
	allocs.AtMost(t, 1, "Batches(tasks, 3) // 100 tasks", func() { aliasing.Batches(tasks, 3) })
}

func TestWithTag_ParentUntouched(t *testing.T) {
	tags := make([]string, 1, 4)
	tags[0] = "billing"
	parent := aliasing.Task{ID: 1, Title: "Export invoices", Tags: tags, Payload: []byte("body")}

	child := aliasing.WithTag(parent, "urgent")

	want := aliasing.Task{ID: 1, Title: "Export invoices", Tags: []string{"billing", "urgent"}, Payload: []byte("body")}
	if diff := cmp.Diff(want, child); diff != "" {
		t.Fatalf("WithTag(parent, \"urgent\") differs from the parent in more than the tag (-want +got):\n%s", diff)
	}
	if got := tags[:2][1]; got != "" {
		rule.Broken(t, rule.Case{
			Do: `tags := make([]string, 1, 4) // room for three more
parent := Task{Tags: tags}
WithTag(parent, "urgent")
fmt.Printf("%q", tags[:2][1])`,
			Got:  got,
			Want: "",
			Why:  "The parent's array belongs to the parent, its spare capacity too.",
		})
	}
}

func TestWithTag_SiblingsDiverge(t *testing.T) {
	tags := make([]string, 1, 4)
	tags[0] = "billing"
	parent := aliasing.Task{Tags: tags}

	first := aliasing.WithTag(parent, "eu")
	aliasing.WithTag(parent, "us")

	if got := first.Tags; !slices.Equal(got, []string{"billing", "eu"}) {
		rule.Broken(t, rule.Case{
			Do: `tags := make([]string, 1, 4) // room for three more
parent := Task{Tags: tags}
first := WithTag(parent, "eu")
second := WithTag(parent, "us")
fmt.Println(first.Tags)`,
			Got:  got,
			Want: []string{"billing", "eu"},
			Why:  "Both children wrote their tag into the same spare slot: this is how tags jump between customers.",
		})
	}
}

func TestWithTag_AllocatesOnce(t *testing.T) {
	tags := make([]string, 3, 8)
	parent := aliasing.Task{Tags: tags, Payload: make([]byte, 1024)}
	allocs.AtMost(t, 1, `WithTag(task, "eu") // 3 tags, 1 KiB payload`, func() { aliasing.WithTag(parent, "eu") })
}

func TestDequeue_PoppedIsCollectable(t *testing.T) {
	queue := []*aliasing.Task{{ID: 1, Payload: make([]byte, 1024)}, {ID: 2}, {ID: 3}}
	popped := weak.Make(queue[0])

	head, rest := aliasing.Dequeue(queue)
	if head == nil || head.ID != 1 || len(rest) != 2 || rest[0].ID != 2 || rest[1].ID != 3 {
		rule.Broken(t, rule.Case{
			Do:   "head, rest := Dequeue([]*Task{{ID: 1}, {ID: 2}, {ID: 3}})",
			Got:  rule.Textf("head %+v and %d more", head, len(rest)),
			Want: rule.Text("task 1, and tasks 2 and 3 in rest"),
			Why:  "Every task is done once, the oldest first.",
		})
	}
	head = nil

	gctest.Collected(t, popped, `queue := []*Task{{ID: 1}, {ID: 2}, {ID: 3}}
_, rest := Dequeue(queue)
runtime.GC() // rest is still in use`, "task 1")
	runtime.KeepAlive(rest)
}

func TestDequeue_EmptyQueue(t *testing.T) {
	for _, queue := range [][]*aliasing.Task{nil, {}} {
		if head, rest := aliasing.Dequeue(queue); head != nil || len(rest) != 0 {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("Dequeue(%#v)", queue),
				Got:  rule.Textf("head %+v and %d more", head, len(rest)),
				Want: rule.Text("nil and an empty rest"),
				Why:  "A worker polls an empty queue all day.",
			})
		}
	}
}

func TestHeader_DoesNotPinPayload(t *testing.T) {
	payload := make([]byte, 1<<20)
	copy(payload, "GET /tasks HTTP/1.1")
	array := weak.Make((*[1 << 20]byte)(payload))

	header := aliasing.Header(payload, 3)
	if string(header) != "GET" {
		rule.Broken(t, rule.Case{
			Do: `Header([]byte("GET /tasks HTTP/1.1"), 3)`, Got: header, Want: "GET",
		})
	}
	payload = nil

	gctest.Collected(t, array, `payload := make([]byte, 1<<20)
header := Header(payload, 3)
payload = nil
runtime.GC() // header is still in use`, "the payload of 1 MiB")
	runtime.KeepAlive(header)
}

func TestHeader_ShortPayload(t *testing.T) {
	for _, tc := range []struct {
		payload string
		n       int
		want    string
	}{
		{"GET", 8, "GET"},
		{"GET", 3, "GET"},
		{"GET", 0, ""},
		{"GET", -1, ""},
		{"", 8, ""},
	} {
		if got := aliasing.Header([]byte(tc.payload), tc.n); string(got) != tc.want {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("Header([]byte(%q), %d)", tc.payload, tc.n),
				Got:  got,
				Want: tc.want,
				Why:  "A client may send less than a header, and the audit log must survive it.",
			})
		}
	}
}

func TestRaise_MutatesInPlace(t *testing.T) {
	list := []aliasing.Quota{{Used: 1, Limit: 10}, {Used: 2, Limit: 20}}

	aliasing.Raise(list, 5)

	want := []aliasing.Quota{{Used: 1, Limit: 15}, {Used: 2, Limit: 25}}
	if !slices.Equal(list, want) {
		rule.Broken(t, rule.Case{
			Do:   "list := []Quota{{Used: 1, Limit: 10}, {Used: 2, Limit: 20}}\nRaise(list, 5)",
			Got:  list,
			Want: want,
			Why:  "The customer paid for the raise. A raise of a copy vanishes with the copy.",
		})
	}
}

func TestCharge_StoresBack(t *testing.T) {
	quotas := map[string]aliasing.Quota{"ann": {Used: 1, Limit: 3}, "bob": {Used: 0, Limit: 3}}

	ok := aliasing.Charge(quotas, "ann", 2)

	want := map[string]aliasing.Quota{"ann": {Used: 3, Limit: 3}, "bob": {Used: 0, Limit: 3}}
	if diff := cmp.Diff(want, quotas); !ok || diff != "" {
		rule.Broken(t, rule.Case{
			Do:   `quotas := map[string]Quota{"ann": {Used: 1, Limit: 3}, "bob": {Limit: 3}}` + "\n" + `ok := Charge(quotas, "ann", 2)`,
			Got:  rule.Textf("%v, quotas %+v", ok, quotas),
			Want: rule.Textf("true, quotas %+v", want),
			Why:  "A map gives out copies of its values. What is not stored back was never charged.",
		})
	}
}

func TestCharge_RefusesOverLimit(t *testing.T) {
	for _, tc := range []struct {
		owner string
		n     int
	}{
		{"ann", 3},
		{"ann", math.MaxInt},
		{"nobody", 1},
		{"nobody", 0},
	} {
		before := map[string]aliasing.Quota{"ann": {Used: 1, Limit: 3}}
		quotas := map[string]aliasing.Quota{"ann": {Used: 1, Limit: 3}}
		ok := aliasing.Charge(quotas, tc.owner, tc.n)
		if diff := cmp.Diff(before, quotas); ok || diff != "" {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf(`quotas := map[string]Quota{"ann": {Used: 1, Limit: 3}}`+"\n"+`ok := Charge(quotas, %q, %d)`, tc.owner, tc.n),
				Got:  rule.Textf("%v, quotas %+v", ok, quotas),
				Want: rule.Textf("false, quotas %+v", before),
				Why:  "A refused charge that leaves a trace is a bill somebody disputes.",
			})
		}
	}
}

// numbered returns n tasks with the ids 1 to n, in a slice without spare
// capacity.
func numbered(n int) []aliasing.Task {
	tasks := make([]aliasing.Task, n)
	for i := range tasks {
		tasks[i].ID = int64(i + 1)
	}
	return tasks
}

func requireBatches(t *testing.T, batches [][]aliasing.Task, want int) {
	t.Helper()
	if len(batches) != want {
		t.Fatalf("Batches returned %d batches, want %d", len(batches), want)
	}
}
