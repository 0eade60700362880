package mergepatch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week08/mergepatch"
)

// Task is the document of most tests. The README has it too.
type Task struct {
	ID       int64            `json:"id"`
	Title    string           `json:"title"`
	Done     bool             `json:"done"`
	Priority int8             `json:"priority"`
	Due      *time.Time       `json:"due"`
	Note     *string          `json:"note,omitempty"`
	Owner    Person           `json:"owner"`
	Assignee *Person          `json:"assignee"`
	Labels   []string         `json:"labels"`
	Steps    []Step           `json:"steps"`
	Counts   map[string]int64 `json:"counts"`
	Extra    any              `json:"extra"`
}

type Person struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type Step struct {
	Text string  `json:"text"`
	Done bool    `json:"done"`
	By   *string `json:"by"`
}

var errNoTitle = errors.New("a task needs a title")

func (t Task) Validate() error {
	if t.Title == "" {
		return errNoTitle
	}
	return nil
}

const taskJSON = `{"id":7,"title":"Ship it","done":true,"priority":3,"due":"2026-04-01T09:30:00Z","note":"ring twice",` +
	`"owner":{"id":1,"name":"Ann"},"assignee":{"id":2,"name":"Bob"},"labels":["eu","new"],` +
	`"steps":[{"text":"pack","done":true,"by":"Bob"},{"text":"send","done":false,"by":null}],` +
	`"counts":{"views":10,"clicks":3},"extra":{"a":{"b":[1,null]},"c":"d"}}`

func TestApply_InputUntouched(t *testing.T) {
	const why = "The old task is in a cache that other requests read."
	patches := []string{
		`{"labels":["us"],"steps":[{"text":"x"}],"assignee":{"name":"Cem"},"note":"n","due":"2027-01-01T00:00:00Z","counts":{"views":null,"a":1},"extra":{"a":{"b":null}}}`,
		`{"assignee":null,"labels":null}`,
		`{"title":"","assignee":{"name":"Cem"},"labels":["us"],"counts":{"a":1}}`,
		`{"assignee":{"name":"Cem"},"labels":["us"],"counts":{"a":1},"unknown":1}`,
		`{}`,
	}
	for _, patch := range patches {
		doc := task()
		doc.Labels = append(make([]string, 0, 8), doc.Labels...)
		sent := []byte(patch)
		out, _, err := mergepatch.Apply(doc, sent)

		if diff := cmp.Diff(task(), doc); diff != "" || string(sent) != patch {
			rule.Broken(t, rule.Case{
				Do:   doApply("Task", taskJSON, patch) + "\nfmt.Println(doc)",
				Got:  rule.Textf("doc with %s, patch %s", members(doc, task()), sent),
				Want: rule.Textf("doc with %s, patch %s: both as they were", members(task(), doc), patch),
				Why:  why,
			})
		}
		if err != nil {
			continue
		}
		before := inJSON(out)
		scribble(&doc)
		clear(sent)
		if after := inJSON(out); before != after {
			rule.Broken(t, rule.Case{
				Do:  doApply("Task", taskJSON, patch) + "\n// then doc's labels, steps, assignee, counts and so on change in place",
				Got: after, Want: before, Why: "Two tasks that share a slice or a pointer change together.",
			})
		}
	}
	out, _, err := mergepatch.Apply(task(), []byte(patches[0]))
	if err != nil || out.Assignee == nil || out.Assignee.Name != "Cem" {
		rule.Broken(t, rule.Case{Do: doApply("Task", taskJSON, patches[0]), Got: result(out, nil, err), Want: rule.Text("the patched task"), Why: "Leaving everything as it was is not enough."})
	}
}

func TestApply_ArrayReplacesNotMerges(t *testing.T) {
	const why = "With an array that merges, nobody can ever remove a label."
	wantTask(t, `{"labels":["us"]}`, func(t *Task) { t.Labels = []string{"us"} }, why)
	wantTask(t, `{"labels":["us","eu","new","old"]}`, func(t *Task) { t.Labels = []string{"us", "eu", "new", "old"} }, why)
	wantTask(t, `{"steps":[{"text":"x"}]}`, func(t *Task) { t.Steps = []Step{{Text: "x"}} }, "An element of the new array takes nothing over from the old one.")
	wantTask(t, `{"steps":[{"done":true},{"by":"Cem"},{"by":null}]}`, func(t *Task) {
		t.Steps = []Step{{Done: true}, {By: new("Cem")}, {}}
	}, "An element of the new array takes nothing over from the old one.")
	wantTask(t, `{"extra":{"a":{"b":[{"x":null}]}}}`, func(t *Task) {
		t.Extra = map[string]any{"a": map[string]any{"b": []any{map[string]any{"x": nil}}}, "c": "d"}
	}, "In an array, null is a value.")
}

func TestApply_NullClearsPointer(t *testing.T) {
	const why = "Null is the only way to say that nobody is assigned any more."
	wantTask(t, `{"assignee":null}`, func(t *Task) { t.Assignee = nil }, why)
	wantTask(t, `{"due":null,"note":null}`, func(t *Task) { t.Due, t.Note = nil, nil }, why)
	wantTask(t, `{"labels":null,"counts":null,"extra":null}`, func(t *Task) { t.Labels, t.Counts, t.Extra = nil, nil, nil }, why)
	wantTask(t, `{"counts":{"views":null}}`, func(t *Task) { delete(t.Counts, "views") }, "In a map, null removes the key.")
	wantTask(t, `{"counts":{"none":null}}`, func(*Task) {}, "There was nothing to remove.")
	wantTask(t, `{"extra":{"a":{"b":null}}}`, func(t *Task) { t.Extra = map[string]any{"a": map[string]any{}, "c": "d"} }, why)
	wantTask(t, `{"done":false,"priority":0,"owner":{"name":""}}`,
		func(t *Task) { t.Done, t.Priority, t.Owner.Name = false, 0, "" }, "A zero that somebody sent is not a missing value.")
	wantTask(t, `{"labels":[],"note":""}`, func(t *Task) { t.Labels, t.Note = []string{}, new("") }, "An empty list is not null, and an empty text is not either.")
}

func TestApply_RFCAppendixA(t *testing.T) {
	for _, tc := range []struct{ doc, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{
			`{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}`,
			`{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}`,
			`{"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"}`,
		},
	} {
		const why = "Clients build their patches with libraries that follow the RFC to the letter."
		doc, want := fromJSON[any](tc.doc), fromJSON[any](tc.want)
		out, _, err := mergepatch.Apply(doc, []byte(tc.patch))
		if err != nil || !reflect.DeepEqual(out, want) {
			rule.Broken(t, rule.Case{Do: doApply("any", tc.doc, tc.patch), Got: result(out, nil, err), Want: result(want, nil, nil), Why: why})
		}
		raw, _, err := mergepatch.Apply(json.RawMessage(tc.doc), []byte(tc.patch))
		if err != nil || !reflect.DeepEqual(fromJSON[any](string(raw)), want) {
			rule.Broken(t, rule.Case{Do: doApply("json.RawMessage", tc.doc, tc.patch), Got: result(raw, nil, err), Want: result(want, nil, nil), Why: why})
		}
	}
}

func TestApply_ChangedListExact(t *testing.T) {
	const why = "The audit log and the events for other services are made from this list."
	for patch, want := range ordered(map[string]string{
		`{}`: "",
		`{"title":"Ship it","done":true,"labels":["eu","new"],"assignee":{"id":2}}`: "",
		`{"due":"2026-04-01T09:30:00.000Z"}`:                                        "",
		`{"title":"x"}`:                                                             "title",
		`{"title":"x","done":false,"priority":3,"id":8}`:                            "done id title",
		`{"owner":{"name":"Ann","id":9},"assignee":{"name":"Cem"}}`:                 "assignee.name owner.id",
		`{"assignee":null,"note":null,"due":null}`:                                  "assignee due note",
		`{"labels":["new","eu"]}`:                                                   "labels",
		`{"steps":[{"text":"pack"}],"labels":null}`:                                 "labels steps",
		`{"counts":{"views":11,"clicks":3,"x":1,"y":null}}`:                         "counts.views counts.x",
		`{"counts":{"clicks":null}}`:                                                "counts.clicks",
		`{"extra":{"a":{"b":[1]},"c":null,"e":{"f":1}}}`:                            "extra.a.b extra.c extra.e",
		`{"extra":{"a":{"b":[1,null]},"c":"d"}}`:                                    "",
		`{"extra":null}`:                                                            "extra",
		`{"extra":["a"]}`:                                                           "extra",
		`{"counts":{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}}`:              "counts.a counts.b counts.c counts.d counts.e counts.f counts.g counts.h",
	}) {
		_, changed, err := mergepatch.Apply(task(), []byte(patch))
		if err != nil || !slices.Equal(changed, strings.Fields(want)) || want == "" && changed != nil {
			rule.Broken(t, rule.Case{
				Do: doApply("Task", taskJSON, patch), Got: rule.Textf("changed %s, %v", list(changed), text(err)), Want: rule.Textf("changed %s, nil", list(strings.Fields(want))), Why: why,
			})
		}
	}
	for _, tc := range []struct{ doc, patch, want string }{
		{`{"a":1}`, `null`, `""`},
		{`{"a":1}`, `[]`, `""`},
		{`[1]`, `{}`, `""`},
		{`{"a":1}`, `{"a":1}`, ``},
		{`{"a":null}`, `{"a":null}`, `"a"`},
		{`{}`, `{"b":{"c":1}}`, `"b"`},
		{`{"b":{}}`, `{"b":{"c":1}}`, `"b.c"`},
		{`{"b":1}`, `{"b":{"c":null}}`, `"b"`},
	} {
		out, changed, err := mergepatch.Apply(fromJSON[any](tc.doc), []byte(tc.patch))
		if want := "[" + tc.want + "]"; err != nil || string(list(changed)) != want {
			rule.Broken(t, rule.Case{Do: doApply("any", tc.doc, tc.patch), Got: result(out, changed, err), Want: rule.Textf("changed %s, nil", want), Why: why})
		}
	}
}

func TestApply_AbsentKeeps(t *testing.T) {
	const why = "What the client did not send it did not mean to change."
	wantTask(t, `{}`, func(*Task) {}, why)
	wantTask(t, ` {"title" : "Ship all"} `+"\n", func(t *Task) { t.Title = "Ship all" }, why)
	wantTask(t, `{"assignee":{"name":"Cem"},"owner":{"id":9}}`, func(t *Task) { t.Assignee.Name, t.Owner.ID = "Cem", 9 }, why)
	wantTask(t, `{"counts":{"clicks":4,"shares":1}}`, func(t *Task) { t.Counts["clicks"], t.Counts["shares"] = 4, 1 }, why)
	wantTask(t, `{"extra":{"a":{"x":true}}}`, func(t *Task) {
		t.Extra.(map[string]any)["a"].(map[string]any)["x"] = true
	}, why)
	wantTask(t, `{"extra":7}`, func(t *Task) { t.Extra = 7.0 }, why)
	wantTask(t, `{"due":"2027-01-01T00:00:00Z"}`, func(t *Task) { t.Due = new(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) }, why)

	empty := Task{Title: "x"}
	out, changed, err := mergepatch.Apply(empty, []byte(`{"assignee":{"name":"Bob"},"counts":{"a":1,"b":null}}`))
	want := Task{Title: "x", Assignee: &Person{Name: "Bob"}, Counts: map[string]int64{"a": 1}}
	if err != nil || !cmp.Equal(out, want) || !slices.Equal(changed, []string{"assignee", "counts"}) {
		rule.Broken(t, rule.Case{
			Do:   `out, changed, err := Apply(Task{Title: "x"}, []byte(` + "`" + `{"assignee":{"name":"Bob"},"counts":{"a":1,"b":null}}` + "`))",
			Got:  result(out, changed, err),
			Want: result(want, []string{"assignee", "counts"}, nil),
			Why:  "An object merges into nothing as it merges into an empty object.",
		})
	}
}

func TestApply_UnknownNested(t *testing.T) {
	for patch, path := range ordered(map[string]string{
		`{"titel":"x"}`:                         "titel",
		`{"titel":null}`:                        "titel",
		`{"owner":{"nme":"x"}}`:                 "owner.nme",
		`{"assignee":{"name":"x","a":{"b":1}}}`: "assignee.a",
		`{"steps":[{"text":"a"},{"txt":"b"}]}`:  "steps[1].txt",
		`{"Title":"x"}`:                         "Title",
		`{"TITLE":null}`:                        "TITLE",
		`{"owner":{"ID":1}}`:                    "owner.ID",
		`{"steps":[{"Text":"a"}]}`:              "steps[0].Text",
		`{"":1}`:                                "",
	}) {
		wantPatchError(t, patch, path, mergepatch.UnknownField,
			"A misspelt field that is ignored is a change that the client believes in. One in another case walks past every filter.", "id", "owner.id")
	}
}

func TestApply_NonObjectPatch(t *testing.T) {
	const why = "A task cannot become a list, whatever the RFC says about documents in general."
	for _, patch := range []string{`[]`, `"x"`, `7`, `true`, ` ["title"] `, `[{"title":"x"}]`} {
		wantPatchError(t, patch, "", mergepatch.TypeMismatch, why)
	}
	for _, patch := range []string{``, ` `, `{`, `{"title":"x"`, `{"title":"x"}}`, `{"title":"x"} {}`, `{title:1}`, `nul`} {
		wantPatchError(t, patch, "", mergepatch.Syntax, "Half a patch is no patch.")
	}
}

func TestApply_NullOnRequired(t *testing.T) {
	for patch, path := range ordered(map[string]string{
		`{"title":null}`:                           "title",
		`{"done":null}`:                            "done",
		`{"priority":null,"title":"x"}`:            "priority",
		`{"owner":null}`:                           "owner",
		`{"owner":{"name":null}}`:                  "owner.name",
		`{"assignee":{"id":null}}`:                 "assignee.id",
		`{"labels":["a",null]}`:                    "labels[1]",
		`{"steps":[{"text":"a"},null]}`:            "steps[1]",
		`{"steps":[{"text":"a"},{"text":null}]}`:   "steps[1].text",
		`{"steps":[{"by":null},{"done":null}]}`:    "steps[1].done",
		`null`:                                     "",
		"\n null ":                                 "",
		`{"extra":{"a":null},"owner":{"id":null}}`: "owner.id",
	}) {
		wantPatchError(t, patch, path, mergepatch.Null, "A title cannot be missing. encoding/json would leave the old one, and answer 200.")
	}
}

func TestApply_ImmutableRejectedEvenIfEqual(t *testing.T) {
	const why = "Whether a request is allowed must not depend on what is in the database at the moment."
	for patch, path := range ordered(map[string]string{
		`{"id":7}`:                               "id",
		`{"id":8}`:                               "id",
		`{"id":null}`:                            "id",
		`{"title":"x","id":"seven"}`:             "id",
		`{"owner":{"id":1}}`:                     "owner.id",
		`{"owner":{"id":{}}}`:                    "owner.id",
		`{"assignee":{"id":2,"name":"Bob"}}`:     "assignee",
		`{"assignee":{}}`:                        "assignee",
		`{"assignee":null}`:                      "assignee",
		`{"counts":{"views":10}}`:                "counts.views",
		`{"counts":{"views":null,"clicks":4}}`:   "counts.views",
		`{"counts":{"clicks":4,"views":"many"}}`: "counts.views",
	}) {
		wantPatchError(t, patch, path, mergepatch.Immutable, why, "id", "owner.id", "assignee", "counts.views")
	}
	wantTask(t, `{"owner":{"name":"Eve"},"counts":{"clicks":4,"view":1,"views2":1}}`, func(t *Task) {
		t.Owner.Name, t.Counts = "Eve", map[string]int64{"views": 10, "clicks": 4, "view": 1, "views2": 1}
	}, "The neighbours of an immutable member are free.", "id", "owner.id", "assignee", "counts.views")
	wantTask(t, `{"owner":{},"counts":{}}`, func(*Task) {}, "Nothing immutable is named here.", "id", "owner.id", "counts.views")
}

func TestApply_ImmutableBelowWhatIsReplaced(t *testing.T) {
	const why = "Whoever may clear the parent may clear the child: the lock on the child would be worth nothing."
	for patch, path := range ordered(map[string]string{
		`{"assignee":null}`:          "assignee",
		`{"counts":null}`:            "counts",
		`{"counts":[]}`:              "counts",
		`{"extra":{"a":null}}`:       "extra.a",
		`{"extra":{"a":{"b":null}}}`: "extra.a.b",
		`{"extra":1}`:                "extra",
		`{"extra":{"a":[{"b":1}]}}`:  "extra.a",
		`null`:                       "",
		`[]`:                         "",
	}) {
		wantPatchError(t, patch, path, mergepatch.Immutable, why, "assignee.id", "counts.views", "extra.a.b")
	}
	wantTask(t, `{"assignee":{"name":"Cem"},"extra":{"a":{"x":1},"aa":null},"note":null}`, func(t *Task) {
		t.Assignee.Name, t.Note = "Cem", nil
		t.Extra.(map[string]any)["a"].(map[string]any)["x"] = 1.0
	}, "An object merges, so what it does not name stays.", "assignee.id", "extra.a.b")
}

func TestApply_TypeMismatchPath(t *testing.T) {
	for patch, path := range ordered(map[string]string{
		`{"title":7}`:                       "title",
		`{"title":{"a":1}}`:                 "title",
		`{"priority":128}`:                  "priority",
		`{"priority":1.5}`:                  "priority",
		`{"done":"true"}`:                   "done",
		`{"owner":"Ann"}`:                   "owner",
		`{"owner":[]}`:                      "owner",
		`{"assignee":{"id":"2"}}`:           "assignee.id",
		`{"labels":"eu"}`:                   "labels",
		`{"labels":{"a":1}}`:                "labels",
		`{"labels":["a",1]}`:                "labels[1]",
		`{"labels":[{"a":1}]}`:              "labels[0]",
		`{"steps":[{},{"done":1}]}`:         "steps[1].done",
		`{"steps":[[]]}`:                    "steps[0]",
		`{"counts":{"views":1,"x":"many"}}`: "counts.x",
		`{"due":"tomorrow"}`:                "due",
	}) {
		wantPatchError(t, patch, path, mergepatch.TypeMismatch, "The client has to find the field.")
	}
}

func TestApply_ValidatedBeforeApplied(t *testing.T) {
	out, changed, err := mergepatch.Apply(task(), []byte(`{"done":false,"title":""}`))
	_, isPatchError := errors.AsType[*mergepatch.PatchError](err)
	if !errors.Is(err, errNoTitle) || isPatchError || !reflect.DeepEqual(out, Task{}) || changed != nil {
		rule.Broken(t, rule.Case{
			Do:   doApply("Task", taskJSON, `{"done":false,"title":""}`),
			Got:  result(out, changed, err),
			Want: rule.Textf("the zero Task, no changes, and the error of Validate: %q", errNoTitle),
			Why:  "A result that is returned will be stored by somebody.",
		})
	}
	untitled := Task{ID: 1}
	if out, _, err := mergepatch.Apply(untitled, []byte(`{"title":"x"}`)); err != nil || out.Title != "x" {
		rule.Broken(t, rule.Case{
			Do: "Apply(Task{ID: 1}, []byte(`{\"title\":\"x\"}`))", Got: result(out, nil, err), Want: result(Task{ID: 1, Title: "x"}, nil, nil),
			Why: "The result has to be valid, not what was there before: a patch is how it gets repaired.",
		})
	}
	quota := Quota{Used: 2, Limit: 3}
	if out, _, err := mergepatch.Apply(quota, []byte(`{"limit":1}`)); !errors.Is(err, errOverLimit) || out != (Quota{}) {
		rule.Broken(t, rule.Case{
			Do: "Apply(Quota{Used: 2, Limit: 3}, []byte(`{\"limit\":1}`)) // func (q *Quota) Validate() error", Got: result(out, nil, err),
			Want: rule.Textf("the zero Quota, no changes, and the error of Validate: %q", errOverLimit),
			Why:  "Validate is often a method of the pointer.",
		})
	}
	wantTask(t, `{"title":"x"}`, func(t *Task) { t.Title = "x" }, "A valid result passes.")
}

func TestApply_NumberPrecision(t *testing.T) {
	const big = 1<<53 + 1
	doc := task()
	doc.ID, doc.Counts["views"] = big, math.MaxInt64
	for patch, id := range ordered(map[string]int64{`{"title":"x"}`: big, `{"id":9007199254740995}`: big + 2, `{"counts":{"clicks":9007199254740993}}`: big}) {
		out, _, err := mergepatch.Apply(doc, []byte(patch))
		if err != nil || out.ID != id || out.Counts["views"] != math.MaxInt64 || strings.Contains(patch, "clicks") && out.Counts["clicks"] != big {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("doc.ID = 1<<53 + 1\ndoc.Counts[\"views\"] = math.MaxInt64\nout, _, err := Apply(doc, []byte(`%s`))", patch),
				Got:  rule.Textf("ID %d, Counts %v, %v", out.ID, out.Counts, text(err)),
				Want: rule.Textf("ID %d, views %d, and what the patch says", id, int64(math.MaxInt64)),
				Why:  "A float64 has 53 bits. With larger ids, the patch of one task changes the id of another.",
			})
		}
	}
	raw, _, err := mergepatch.Apply(json.RawMessage(`{"a":9007199254740993}`), []byte(`{"b":0.1000000000000000055}`))
	if err != nil || !strings.Contains(string(raw), "9007199254740993") || !strings.Contains(string(raw), "0.1000000000000000055") {
		rule.Broken(t, rule.Case{
			Do:  "Apply(json.RawMessage(`{\"a\":9007199254740993}`), []byte(`{\"b\":0.1000000000000000055}`))",
			Got: result(raw, nil, err), Want: rule.Text(`{"a":9007199254740993,"b":0.1000000000000000055}, nil`), Why: "A raw message keeps its numbers as they are written.",
		})
	}
}

func TestApply_TypesWithTheirOwnForm(t *testing.T) {
	const itself = "Such a type knows best what it can hold. The client has to hear which member was refused."
	const elements = "What is in an array is checked like everything else, whatever stands between."
	for _, tc := range []struct{ patch, path, code, why string }{
		{`{"period":{"from":9}}`, "period", mergepatch.TypeMismatch, itself},
		{`{"period":"now"}`, "period", mergepatch.TypeMismatch, itself},
		{`{"addr":"here"}`, "addr", mergepatch.TypeMismatch, itself},
		{`{"addr":{}}`, "addr", mergepatch.TypeMismatch, itself},
		{`{"addr":{"ip":4}}`, "addr", mergepatch.TypeMismatch, itself},
		{`{"addrs":["192.0.2.7",{"ip":4}]}`, "addrs[1]", mergepatch.TypeMismatch, itself},
		{`{"mask":[255,0]}`, "mask", mergepatch.TypeMismatch, itself},
		{`{"parts":[{"text":"a"},{"txt":"b"}]}`, "parts[1].txt", mergepatch.UnknownField, elements},
		{`{"parts":[{"text":null}]}`, "parts[0].text", mergepatch.Null, elements},
		{`{"rows":[{},{"a":300}]}`, "rows[1].a", mergepatch.TypeMismatch, elements},
		{`{"rows":[{"a":null}]}`, "rows[0].a", mergepatch.Null, elements},
	} {
		out, changed, err := mergepatch.Apply(fromJSON[Shelf](shelfJSON), []byte(tc.patch))
		perr, ok := errors.AsType[*mergepatch.PatchError](err)
		if !ok || perr.Path != tc.path || perr.Code != tc.code || !reflect.DeepEqual(out, Shelf{}) || changed != nil {
			rule.Broken(t, rule.Case{
				Do: doApply("Shelf", shelfJSON, tc.patch), Got: result(out, changed, err),
				Want: rule.Textf("the zero Shelf, no changes, a *PatchError with Path %q and Code %q", tc.path, tc.code), Why: tc.why,
			})
		}
	}
	for _, tc := range []struct {
		patch, changed string
		change         func(*Shelf)
		why            string
	}{
		{`{"period":{"from":4}}`, "period.from", func(s *Shelf) { s.Period.From = 4 }, "The type gets the merged JSON, and this one it takes."},
		{`{"addr":"192.0.2.7","mask":"192.0.2.7"}`, "addr mask", func(s *Shelf) { s.Addr, s.Mask = netip.MustParseAddr("192.0.2.7"), net.ParseIP("192.0.2.7") }, "Its text is a string in JSON."},
		{`{"parts":[null,{"text":"b"}],"rows":[{"b":2}]}`, "parts rows", func(s *Shelf) {
			s.Parts, s.Rows = []*Step{nil, {Text: "b"}}, []map[string]int8{{"b": 2}}
		}, "A pointer in an array may be null."},
		{`{"badge":{"text":"new"}}`, "badge.text", func(s *Shelf) { s.Badge.Text = "new" }, "The document has a member that the struct does not have. Nobody patched it."},
	} {
		out, changed, err := mergepatch.Apply(fromJSON[Shelf](shelfJSON), []byte(tc.patch))
		want := fromJSON[Shelf](shelfJSON)
		tc.change(&want)
		if err != nil || !reflect.DeepEqual(out, want) || !slices.Equal(changed, strings.Fields(tc.changed)) {
			rule.Broken(t, rule.Case{
				Do: doApply("Shelf", shelfJSON, tc.patch), Got: result(out, changed, err), Want: result(want, strings.Fields(tc.changed), nil), Why: tc.why,
			})
		}
	}
}

func TestApply_FaultsThatAreNotThePatch(t *testing.T) {
	for _, tc := range []struct {
		do    string
		doc   Shelf
		patch string
	}{
		{"doc := Shelf{Level: 10} // its MarshalJSON fails above 9", Shelf{Level: 10}, `{}`},
		{"doc := Shelf{Period: Period{From: 9, To: 5}} // its UnmarshalJSON fails if From is above To", Shelf{Period: Period{From: 9, To: 5}}, `{"level":1}`},
		{"doc := Shelf{Level: 9} // its MarshalJSON fails above 9", Shelf{Level: 9}, `{"level":10}`},
	} {
		out, changed, err := mergepatch.Apply(tc.doc, []byte(tc.patch))
		_, isPatchError := errors.AsType[*mergepatch.PatchError](err)
		if err == nil || errors.Is(err, errors.ErrUnsupported) || isPatchError || !reflect.DeepEqual(out, Shelf{}) || changed != nil {
			rule.Broken(t, rule.Case{
				Do: tc.do + "\nout, changed, err := Apply(doc, []byte(`" + tc.patch + "`))", Got: result(out, changed, err),
				Want: rule.Text("the zero Shelf, no changes, and an error that is no *PatchError"),
				Why:  "The handler answers 422 to a *PatchError, and the client looks for a fault that is not its own.",
			})
		}
	}
}

func TestPatchError_Error(t *testing.T) {
	for _, tc := range []struct {
		err  mergepatch.PatchError
		want string
	}{
		{mergepatch.PatchError{Path: "assignee.name", Code: mergepatch.Null}, "merge patch: assignee.name: null"},
		{mergepatch.PatchError{Code: mergepatch.Syntax}, "merge patch: syntax"},
	} {
		if got := tc.err.Error(); got != tc.want {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("err := &PatchError{Path: %q, Code: %q}\nfmt.Println(err)", tc.err.Path, tc.err.Code), Got: rule.Text(got), Want: rule.Text(tc.want),
				Why: "This line goes to the log as it stands.",
			})
		}
	}
}

func FuzzApply(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`},
		{`{"e":null}`, `{"a":1}`},
		{`[1,2]`, `{"a":{"b":{"c":null}}}`},
		{`{"a":"foo"}`, `"bar"`},
		{taskJSON, `{"assignee":null,"labels":["x"],"extra":{"a":[]}}`},
		{taskJSON, `{"title":null}`},
		{taskJSON, `{"steps":[{"text":"a","done":1}],"counts":{"views":1e3}}`},
		{taskJSON, `{"Title":"x"`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, doc, patch []byte) {
		if len(doc)+len(patch) > 1<<12 || !json.Valid(doc) {
			return
		}
		var v any
		if json.Unmarshal(doc, &v) != nil {
			return // a number that no float64 can hold
		}
		checkAny(t, string(doc), string(patch))
		checkTask(t, string(patch))
	})
}

func TestApply_Generated(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 396))
	for range 2_500 {
		checkAny(t, generate(rng, 3), generate(rng, 3))
	}
	for range 1_000 {
		patch := make(map[string]json.RawMessage)
		for range 1 + rng.IntN(3) {
			patch[pick(rng, slices.Sorted(maps.Keys(values)))] = nil
		}
		for _, field := range slices.Sorted(maps.Keys(patch)) {
			patch[field] = json.RawMessage(pick(rng, values[field]))
		}
		checkTask(t, string(inJSON(patch)))
	}
}

// values are good and bad values for the fields of a Task.
var values = map[string][]string{
	"id": {`7`, `8`, `null`}, "title": {`"x"`, `""`, `"Ship it"`, `1`}, "done": {`true`, `false`, `[]`},
	"due": {`null`, `"2026-04-01T09:30:00Z"`, `"2027-04-01T09:30:00Z"`, `"x"`}, "note": {`null`, `""`, `"n"`},
	"owner":    {`{"id":2}`, `{"name":"Eve"}`, `{}`, `null`, `{"x":1}`},
	"assignee": {`{"id":3,"name":"Cem"}`, `{"name":"Cem"}`, `{}`, `null`, `{"name":null}`},
	"labels":   {`[]`, `["us"]`, `["eu","new"]`, `null`, `[null]`},
	"steps":    {`[]`, `null`, `[{"text":"a","done":true,"by":null}]`, `[{"nme":1}]`},
	"counts":   {`{"views":null}`, `{"views":11,"x":1}`, `{}`, `null`, `{"views":"x"}`},
	"extra":    {`{"a":null}`, `{"a":{"b":{"c":null}}}`, `[null]`, `null`, `1`, `{"c":"d"}`},
	"nme":      {`1`},
}

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }

// generate returns a random JSON value with few different keys.
func generate(rng *rand.Rand, depth int) string {
	switch n := rng.IntN(8); {
	case depth == 0 || n == 0:
		return pick(rng, []string{`null`, `1`, `2`, `"x"`, `true`, `{}`, `[]`})
	case n == 1:
		return "[" + generate(rng, depth-1) + "," + generate(rng, depth-1) + "]"
	default:
		members := make(map[string]json.RawMessage)
		for _, key := range []string{"a", "b", "c"} {
			if rng.IntN(2) == 0 {
				members[key] = json.RawMessage(generate(rng, depth-1))
			}
		}
		return string(inJSON(members))
	}
}

// checkAny compares Apply with the algorithm of RFC 7396, section 2.
func checkAny(t *testing.T, doc, patch string) {
	t.Helper()
	out, changed, err := mergepatch.Apply(fromJSON[any](doc), []byte(patch))
	var p any
	if bad := json.Unmarshal([]byte(patch), &p); bad != nil {
		perr, ok := errors.AsType[*mergepatch.PatchError](err)
		if !ok || out != nil || changed != nil || perr.Code != mergepatch.Syntax && !json.Valid([]byte(patch)) {
			rule.Broken(t, rule.Case{Do: doApply("any", doc, patch), Got: result(out, changed, err), Want: rule.Textf("nil, no changes, and a *PatchError: %v", bad)})
		}
		return
	}
	want := mergeRFC(fromJSON[any](doc), p)
	wantChanged := diff(nil, "", fromJSON[any](doc), want)
	slices.Sort(wantChanged)
	if err != nil || !reflect.DeepEqual(out, want) || !slices.Equal(changed, wantChanged) {
		rule.Broken(t, rule.Case{
			Do: doApply("any", doc, patch), Got: result(out, changed, err), Want: result(want, wantChanged, nil),
			Why: "Clients build their patches with libraries that follow the RFC to the letter.",
		})
	}
}

// checkTask checks what holds for every patch of a Task.
func checkTask(t *testing.T, patch string) {
	t.Helper()
	out, changed, err := mergepatch.Apply(task(), []byte(patch))
	if err != nil {
		perr, ok := errors.AsType[*mergepatch.PatchError](err)
		codes := []string{mergepatch.Syntax, mergepatch.UnknownField, mergepatch.Null, mergepatch.TypeMismatch}
		if ok && !slices.Contains(codes, perr.Code) || !ok && !errors.Is(err, errNoTitle) || !reflect.DeepEqual(out, Task{}) || changed != nil {
			rule.Broken(t, rule.Case{
				Do: doApply("Task", taskJSON, patch), Got: result(out, changed, err),
				Want: rule.Textf("the zero Task, no changes, and a *PatchError with a code that fits, or %q", errNoTitle), Why: "The handler makes a 422 of it.",
			})
		}
		return
	}

	want := fill(mergeRFC(fromJSON[any](taskJSON), fromJSON[any](patch)))
	got := fromJSON[map[string]any](string(inJSON(out)))
	delete(got, "due") // there are many ways to write one time
	delete(want, "due")
	if !reflect.DeepEqual(withoutNulls(got), withoutNulls(want)) {
		rule.Broken(t, rule.Case{
			Do: doApply("Task", taskJSON, patch), Got: result(out, changed, err), Want: result(want, nil, nil),
			Why: "A typed document follows the RFC too.",
		})
	}
	wantChanged := diff(nil, "", fromJSON[any](taskJSON), fromJSON[any](string(inJSON(out))))
	slices.Sort(wantChanged)
	if !slices.Equal(changed, wantChanged) {
		rule.Broken(t, rule.Case{Do: doApply("Task", taskJSON, patch), Got: result(out, changed, err), Want: result(out, wantChanged, nil), Why: "The audit log is made from this list."})
	}
	again, changed, err := mergepatch.Apply(out, []byte(patch))
	if err != nil || len(changed) != 0 || !cmp.Equal(again, out) {
		rule.Broken(t, rule.Case{
			Do: doApply("Task", taskJSON, patch) + "\nagain, changed, err := Apply(out, patch)", Got: result(again, changed, err), Want: result(out, nil, nil),
			Why: "A client that retries a patch must not change anything more.",
		})
	}
}

// mergeRFC is MergePatch of RFC 7396, section 2.
func mergeRFC(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	members, ok := target.(map[string]any)
	if !ok {
		members = make(map[string]any)
	}
	for key, value := range changes {
		if value == nil {
			delete(members, key)
		} else {
			members[key] = mergeRFC(members[key], value)
		}
	}
	return members
}

func diff(changed []string, path string, before, after any) []string {
	b, bOK := before.(map[string]any)
	a, aOK := after.(map[string]any)
	if !aOK || !bOK {
		if inJSON(before) != inJSON(after) {
			changed = append(changed, path)
		}
		return changed
	}
	keys := maps.Clone(b)
	maps.Copy(keys, a)
	for key := range keys {
		at := key
		if path != "" {
			at = path + "." + key
		}
		old, hadIt := b[key]
		value, hasIt := a[key]
		if hadIt != hasIt {
			changed = append(changed, at)
		} else {
			changed = diff(changed, at, old, value)
		}
	}
	return changed
}

// fill adds the fields of structs in arrays that a patch left out.
func fill(task any) map[string]any {
	members := task.(map[string]any)
	steps, _ := members["steps"].([]any)
	for _, step := range steps {
		step := step.(map[string]any)
		if step["text"] == nil {
			step["text"] = ""
		}
		if step["done"] == nil {
			step["done"] = false
		}
	}
	if a, ok := members["assignee"].(map[string]any); ok {
		if a["id"] == nil {
			a["id"] = 0.0
		}
		if a["name"] == nil {
			a["name"] = ""
		}
	}
	return members
}

// withoutNulls removes members that are null: a struct shows its nil fields.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
			} else {
				withoutNulls(value)
			}
		}
	case []any:
		for _, value := range v {
			withoutNulls(value)
		}
	}
	return v
}

// Quota validates through its pointer.
type Quota struct {
	Used  int `json:"used"`
	Limit int `json:"limit"`
}

var errOverLimit = errors.New("used more than the limit")

func (q *Quota) Validate() error {
	if q.Used > q.Limit {
		return errOverLimit
	}
	return nil
}

// Shelf has types that a Task does not have.
type Shelf struct {
	Period Period            `json:"period"`
	Badge  Badge             `json:"badge"`
	Addr   netip.Addr        `json:"addr"` // UnmarshalText only, and a struct
	Addrs  []netip.Addr      `json:"addrs"`
	Mask   net.IP            `json:"mask"` // UnmarshalText only, and a slice
	Parts  []*Step           `json:"parts"`
	Rows   []map[string]int8 `json:"rows"`
	Level  Level             `json:"level"`
}

const shelfJSON = `{"period":{"from":1,"to":5},"badge":{"kind":"badge","text":"old"},"addr":"192.0.2.1","addrs":["192.0.2.1"],` +
	`"mask":"192.0.2.1","parts":[{"text":"a","done":false,"by":null}],"rows":[{"a":1}],"level":3}`

// Period refuses to end before it begins.
type Period struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func (p *Period) UnmarshalJSON(data []byte) error {
	type plain Period
	if err := json.Unmarshal(data, (*plain)(p)); err != nil {
		return err
	}
	if p.From > p.To {
		return errors.New("a period cannot end before it begins")
	}
	return nil
}

// Badge writes a member that it does not have.
type Badge struct {
	Text string `json:"text"`
}

func (b Badge) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"kind": "badge", "text": b.Text})
}

// Level can be read, but not written, above 9.
type Level int

func (l Level) MarshalJSON() ([]byte, error) {
	if l > 9 {
		return nil, fmt.Errorf("no level %d", int(l))
	}
	return json.Marshal(int(l))
}

func task() Task { return fromJSON[Task](taskJSON) }

// scribble changes all that t points to.
func scribble(t *Task) {
	for i := range t.Labels {
		t.Labels[i] = "scribble"
	}
	for i := range t.Steps {
		t.Steps[i] = Step{Text: "scribble"}
	}
	t.Assignee.Name, *t.Note, *t.Due = "scribble", "scribble", time.Time{}
	t.Counts["scribble"] = 1
	extra := t.Extra.(map[string]any)
	extra["a"].(map[string]any)["scribble"] = true
	extra["scribble"] = true
}

func wantTask(t *testing.T, patch string, change func(*Task), why string, immutable ...string) {
	t.Helper()
	out, _, err := mergepatch.Apply(task(), []byte(patch), immutable...)
	want := task()
	change(&want)
	if diff := cmp.Diff(want, out); err != nil || diff != "" {
		got := rule.Textf("error: %v", text(err))
		if err == nil {
			got = rule.Textf("out with %s", members(out, want))
		}
		rule.Broken(t, rule.Case{
			Do: doApply("Task", taskJSON, patch, immutable...), Got: got, Want: rule.Textf("out with %s, and no error", members(want, out)), Why: why,
		})
	}
}

// members shows the members of task that other does not have.
func members(task, other Task) rule.Text {
	all, others := fromJSON[map[string]any](string(inJSON(task))), fromJSON[map[string]any](string(inJSON(other)))
	maps.DeleteFunc(all, func(key string, value any) bool {
		v, ok := others[key]
		return ok && reflect.DeepEqual(v, value)
	})
	return inJSON(all)
}

func wantPatchError(t *testing.T, patch, path, code, why string, immutable ...string) {
	t.Helper()
	out, changed, err := mergepatch.Apply(task(), []byte(patch), immutable...)
	perr, ok := errors.AsType[*mergepatch.PatchError](err)
	if !ok || perr.Path != path || perr.Code != code || !reflect.DeepEqual(out, Task{}) || changed != nil {
		got := rule.Textf("title %q, id %d, changed %s, error: %v", out.Title, out.ID, list(changed), text(err))
		if ok {
			got = rule.Textf("title %q, id %d, changed %s, a *PatchError with Path %q and Code %q", out.Title, out.ID, list(changed), perr.Path, perr.Code)
		}
		rule.Broken(t, rule.Case{
			Do: doApply("Task", taskJSON, patch, immutable...), Got: got,
			Want: rule.Textf("the zero Task, no changes, a *PatchError with Path %q and Code %q", path, code), Why: why,
		})
	}
}

// ordered ranges over m by its sorted keys.
func ordered[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

func doApply(typ, doc, patch string, immutable ...string) string {
	args := ""
	for _, path := range immutable {
		args += fmt.Sprintf(", %q", path)
	}
	return fmt.Sprintf("var doc %s\njson.Unmarshal([]byte(`%s`), &doc)\nout, changed, err := Apply(doc, []byte(%s)%s)", typ, doc, quote(patch), args)
}

func quote(s string) string {
	if strings.ContainsAny(s, "`\n\r") {
		return fmt.Sprintf("%q", s)
	}
	return "`" + s + "`"
}

func result(out any, changed []string, err error) rule.Text {
	if changed == nil {
		return rule.Textf("%s, %v", inJSON(out), text(err))
	}
	return rule.Textf("%s, changed %s, %v", inJSON(out), list(changed), text(err))
}

func list(paths []string) rule.Text {
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = fmt.Sprintf("%q", path)
	}
	return rule.Text("[" + strings.Join(quoted, " ") + "]")
}

func fromJSON[T any](data string) (v T) {
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		panic(fmt.Sprintf("%v in %s", err, data))
	}
	return v
}

func inJSON(v any) rule.Text {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return rule.Textf("%+v", v)
	}
	return rule.Text(strings.TrimSpace(b.String()))
}

// text shows err without the quotes of package rule, also for nil.
func text(err error) rule.Text {
	if err == nil {
		return "nil"
	}
	return rule.Text(err.Error())
}
