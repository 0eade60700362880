package pagination_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week08/pagination"
)

var (
	byDue     = pagination.Sort{Field: "due_at"}
	byDueDesc = pagination.Sort{Field: "due_at", Desc: true}
)

const mine = "owner=usr_7&status=todo"

func TestCursor_RoundTrip(t *testing.T) {
	codec := newCodec(t, key("a"))
	for _, tc := range []struct {
		name string
		cur  pagination.Cursor
	}{
		{"plain", cursor("2026-03-01T00:00:00Z", "tsk_01")},
		{"descending", pagination.Cursor{Sort: byDueDesc, Filter: mine, Last: pagination.Key{Value: "2026-03-01T00:00:00Z", ID: "tsk_01"}}},
		{"no value", pagination.Cursor{Sort: byDue, Filter: mine, Last: pagination.Key{Null: true, ID: "tsk_01"}}},
		{"empty value", cursor("", "tsk_01")},
		{"everything empty", pagination.Cursor{}},
		{"separators", cursor(`a|b:c,d.e;f"g\h&i=j/k`, "x|y:z.\n\x00")},
		{"not ASCII", cursor("Überweisung prüfen", "tsk_ü")},
		{"not UTF-8", cursor("\xff\xfe", "\x80")},
		{"looks like the version", cursor(pagination.Version, pagination.Version)},
		{"long", cursor(strings.Repeat("v", 300), strings.Repeat("i", 300))},
		{"bytes in the query", pagination.Cursor{Sort: pagination.Sort{Field: "\xff|"}, Filter: "\x00\xfe\n", Last: pagination.Key{Value: "v", ID: "i"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := codec.Decode(codec.Encode(tc.cur), tc.cur.Sort, tc.cur.Filter)
			if err != nil || got != tc.cur {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("cur := %s\nc.Decode(c.Encode(cur), cur.Sort, cur.Filter)", show(tc.cur)),
					Got:  outcome(got, err),
					Want: rule.Text(show(tc.cur)),
					Why:  "The next page begins behind this item. One changed byte and it begins somewhere else.",
				})
			}
		})
	}
}

func TestCursor_OldVersion(t *testing.T) {
	codec := newCodec(t, key("a"))
	cur := cursor("2026-03-01", "tsk_1")
	text := requireEncoded(t, codec, cur)
	rest, ok := strings.CutPrefix(text, "v2.")
	if !ok {
		rule.Broken(t, rule.Case{
			Do: fmt.Sprintf("c.Encode(%s)", show(cur)), Got: text, Want: rule.Text(`a text that begins with "v2."`),
			Why: "The next format will have to tell its cursors from these.",
		})
	}
	for _, s := range []string{
		"",
		"v2.",
		"v2",
		rest,
		"v1." + rest,
		"v3." + rest,
		"V2." + rest,
		"v2.v2." + rest,
		"v2.." + rest,
		" " + text,
		"40",
		base64.RawURLEncoding.EncodeToString([]byte("40")),                                                   // version 1 had offsets,
		base64.RawURLEncoding.EncodeToString([]byte(`{"field":"due_at","value":"2026-03-01","id":"tsk_1"}`)), // and then no signature
		"v1." + base64.RawURLEncoding.EncodeToString([]byte(`{"field":"due_at","value":"2026-03-01","id":"tsk_1"}`)),
	} {
		got, err := codec.Decode(s, cur.Sort, cur.Filter)
		requireInvalid(t, fmt.Sprintf("// c.Encode(cur) is %q\nc.Decode(%q, cur.Sort, cur.Filter)", text, s), got, err,
			"Clients keep cursors for months. An old one is a 400, and the client starts again with the first page.")
	}
}

func TestCursor_TamperEveryByte(t *testing.T) {
	codec := newCodec(t, key("a"))
	const replacements = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \r\n\x00\xff"
	// Three lengths of one payload, one more byte each: in base64 they end
	// differently.
	for _, id := range []string{"tsk_1", "tsk_12", "tsk_123"} {
		cur := cursor("2026-03-01", id)
		text := requireEncoded(t, codec, cur)
		refuse := func(s, format string, a ...any) {
			t.Helper()
			if got, err := codec.Decode(s, cur.Sort, cur.Filter); !invalid(got, err) {
				requireInvalid(t, fmt.Sprintf("s := c.Encode(%s)\n// s is %q\n%s\nc.Decode(s, cur.Sort, cur.Filter)", show(cur), text, fmt.Sprintf(format, a...)), got, err,
					"A cursor that a client can change is a query that the client writes.")
			}
		}
		for i := range len(text) {
			before, after := text[:i], text[i+1:]
			refuse(before+after, "s = s[:%d] + s[%d:] // one byte less", i, i+1)
			for _, c := range replacements {
				if c := string(c); c != text[i:i+1] {
					refuse(before+c+after, "s = s[:%d] + %q + s[%d:] // one byte changed", i, c, i+1)
				}
			}
			for _, c := range "\n\r=. " + text[i:i+1] {
				refuse(before+string(c)+text[i:], "s = s[:%d] + %q + s[%d:] // one byte more", i, string(c), i)
			}
		}
		for _, c := range replacements {
			refuse(text+string(c), "s += %q", string(c))
		}
		refuse(text+text, "s += s")
		refuse(text[:len(text)/2], "s = s[:len(s)/2]")
	}
}

func TestCursor_OtherQueryRejected(t *testing.T) {
	codec := newCodec(t, key("a"))
	const why = "A cursor of another query, or of another user's list, points to a place that this list does not have, and tells what is in that one."
	cur := cursor("2026-03-01", "tsk_1")
	text := requireEncoded(t, codec, cur)
	for _, tc := range []struct {
		want   pagination.Sort
		filter string
	}{
		{byDue, "owner=usr_8&status=todo"},
		{byDue, "owner=usr_7&status=done"},
		{byDue, ""},
		{byDue, mine + " "},
		{byDue, strings.ToUpper(mine)},
		{byDueDesc, mine},
		{pagination.Sort{Field: "created_at"}, mine},
		{pagination.Sort{}, mine},
	} {
		got, err := codec.Decode(text, tc.want, tc.filter)
		requireInvalid(t, fmt.Sprintf("s := c.Encode(%s)\nc.Decode(s, %s, %q)", show(cur), showSort(tc.want), tc.filter), got, err, why)
	}

	// Two queries whose parts are the same text when they are joined.
	for _, sep := range []string{"", "|", "||", ":", ".", ",", ";", "&", "=", "/", "-", "_", " ", "\n", "\t", "\x00", "\x1f", "\xff", `","`} {
		for _, desc := range []string{"", "false", "0", "asc", "f"} {
			middle := sep
			if desc != "" {
				middle = sep + desc + sep
			}
			one := pagination.Cursor{Sort: pagination.Sort{Field: "due"}, Filter: "x" + middle + "y", Last: cur.Last}
			other := pagination.Cursor{Sort: pagination.Sort{Field: "due" + middle + "x"}, Filter: "y"}
			text := requireEncoded(t, codec, one)
			got, err := codec.Decode(text, other.Sort, other.Filter)
			requireInvalid(t, fmt.Sprintf("s := c.Encode(%s)\nc.Decode(s, %s, %q)", show(one), showSort(other.Sort), other.Filter), got, err,
				"Parts that are joined without their lengths can lend bytes to each other: two queries, one signature.")
		}
	}
}

func TestCursor_KeyRotation(t *testing.T) {
	older, newer := key("old"), key("new")
	before, during, after := newCodec(t, older), newCodec(t, newer, older), newCodec(t, newer)
	cur := cursor("2026-03-01", "tsk_1")
	fromOld, fromNew := requireEncoded(t, before, cur), requireEncoded(t, during, cur)

	for _, tc := range []struct {
		do    string
		codec *pagination.Codec
		text  string
		ok    bool
	}{
		{"s := codec(old).Encode(cur)\ncodec(new, old).Decode(s, cur.Sort, cur.Filter)", during, fromOld, true},
		{"s := codec(new, old).Encode(cur)\ncodec(new, old).Decode(s, cur.Sort, cur.Filter)", during, fromNew, true},
		{"s := codec(new, old).Encode(cur)\ncodec(new).Decode(s, cur.Sort, cur.Filter)", after, fromNew, true},
		{"s := codec(new, old).Encode(cur)\ncodec(old).Decode(s, cur.Sort, cur.Filter)", before, fromNew, false},
		{"s := codec(old).Encode(cur)\ncodec(new).Decode(s, cur.Sort, cur.Filter)", after, fromOld, false},
	} {
		got, err := tc.codec.Decode(tc.text, cur.Sort, cur.Filter)
		if !tc.ok {
			requireInvalid(t, tc.do, got, err, "A key that was taken out of service has no say any more.")
			continue
		}
		if err != nil || got != cur {
			rule.Broken(t, rule.Case{
				Do: tc.do, Got: outcome(got, err), Want: rule.Text(show(cur)),
				Why: "On the day of the rotation every client is in the middle of a list. The first key signs, all keys verify.",
			})
		}
	}
}

func TestCursor_URLSafe(t *testing.T) {
	codec := newCodec(t, key("a"))
	rnd := rand.New(rand.NewPCG(8, 1))
	for range 200 {
		cur := cursor(randomText(rnd, 20), randomText(rnd, 20))
		text := requireEncoded(t, codec, cur)
		if escaped := url.QueryEscape(text); escaped != text || url.PathEscape(text) != text {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("s := c.Encode(%s)\nurl.QueryEscape(s)", show(cur)), Got: escaped, Want: text,
				Why: "A plus in a query is read as a blank. The client pastes the cursor into a URL as it is.",
			})
		}
	}
}

func TestCursor_ErrorSaysNothing(t *testing.T) {
	codec, other := newCodec(t, key("a")), newCodec(t, key("b"))
	cur := pagination.Cursor{Sort: byDue, Filter: "owner=usr_secret", Last: pagination.Key{Value: "salary_90000", ID: "tsk_hidden"}}
	text := requireEncoded(t, other, cur)
	do := fmt.Sprintf("s := codec(other).Encode(%s)\n_, err := c.Decode(s, cur.Sort, cur.Filter)", show(cur))
	got, err := codec.Decode(text, cur.Sort, cur.Filter)
	requireInvalid(t, do, got, err, "It was signed with another key.")
	for _, secret := range []string{"usr_secret", "salary_90000", "tsk_hidden", text} {
		if strings.Contains(err.Error(), secret) {
			rule.Broken(t, rule.Case{
				Do: do, Got: err, Want: rule.Text("a text without " + secret),
				Why: "The text of a 400 goes to the client, and to the log.",
			})
		}
	}
}

func TestNewCodec_Keys(t *testing.T) {
	long, short := bytes.Repeat([]byte("k"), pagination.MinKeyLen), bytes.Repeat([]byte("k"), pagination.MinKeyLen-1)
	for _, tc := range []struct {
		do   string
		keys [][]byte
		ok   bool
	}{
		{"NewCodec(key32)", [][]byte{long}, true},
		{"NewCodec(key32, key32, key64)", [][]byte{long, long, slices.Concat(long, long)}, true},
		{"NewCodec()", nil, false},
		{"NewCodec(nil)", [][]byte{nil}, false},
		{"NewCodec(key31)", [][]byte{short}, false},
		{"NewCodec(key32, key31)", [][]byte{long, short}, false},
	} {
		codec, err := pagination.NewCodec(tc.keys...)
		if (err == nil) != tc.ok || (codec != nil) != tc.ok {
			want := rule.Text("a Codec and nil")
			if !tc.ok {
				want = "nil and an error"
			}
			rule.Broken(t, rule.Case{
				Do: tc.do, Got: rule.Textf("Codec is nil: %t, error: %v", codec == nil, err), Want: want,
				Why: "With an empty or a short key from a broken configuration anybody signs cursors.",
			})
		}
	}

	mutable := key("a")
	codec := newCodec(t, mutable)
	cur := cursor("2026-03-01", "tsk_1")
	text := requireEncoded(t, codec, cur)
	clear(mutable)
	if got, err := codec.Decode(text, cur.Sort, cur.Filter); err != nil || got != cur {
		rule.Broken(t, rule.Case{
			Do:   "c, _ := NewCodec(key)\ns := c.Encode(cur)\nclear(key)\nc.Decode(s, cur.Sort, cur.Filter)",
			Got:  outcome(got, err),
			Want: rule.Text(show(cur)),
			Why:  "The caller wipes its copy of a secret. A Codec that shares it signs with zeros from then on.",
		})
	}
}

func TestCodec_ConcurrentUse(t *testing.T) {
	codec := newCodec(t, key("a"))
	const workers, rounds = 8, 200
	failed := make([]string, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				cur := cursor(fmt.Sprint(w), fmt.Sprint(i))
				if got, err := codec.Decode(codec.Encode(cur), cur.Sort, cur.Filter); err != nil || got != cur {
					failed[w] = string(outcome(got, err))
					return
				}
			}
		})
	}
	wg.Wait()
	for _, got := range failed {
		if got != "" {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("c.Decode(c.Encode(cur), cur.Sort, cur.Filter) // from %d goroutines", workers),
				Got:  rule.Text(got),
				Want: rule.Text("cur, every time"),
				Why:  "One Codec serves all requests.",
			})
		}
	}
}

func TestDecode_Forged(t *testing.T) {
	const inputs = 20_000
	codec := newCodec(t, key("a"))
	cur := cursor("2026-03-01", "tsk_1")
	texts := seeds(t, codec, cur)
	rnd := rand.New(rand.NewPCG(8, 2))
	for range inputs {
		requireOnlyEncoded(t, codec, cur, mutate(rnd, texts[rnd.IntN(len(texts))]))
	}
}

func FuzzDecode(f *testing.F) {
	codec, err := pagination.NewCodec(key("a"))
	if err != nil {
		f.Fatalf("NewCodec(key32) gave an error: %v", err)
	}
	cur := cursor("2026-03-01", "tsk_1")
	for _, s := range seeds(f, codec, cur) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { requireOnlyEncoded(t, codec, cur, s) })
}

func TestCompare_Table(t *testing.T) {
	// Ascending, as the listing has to be. Without a value comes last.
	asc := []pagination.Key{
		{Value: "", ID: "9"},
		{Value: "10", ID: "1"},
		{Value: "10", ID: "2"},
		{Value: "10", ID: "20"},
		{Value: "2", ID: "0"},
		{Value: "A", ID: "5"},
		{Value: "a", ID: "5"},
		{Value: "null", ID: "5"},
		{Value: "\xff", ID: "5"},
		{Null: true, ID: "1"},
		{Null: true, ID: "2"},
	}
	desc := slices.Clone(asc)
	slices.Reverse(desc[:9])
	slices.Reverse(desc[9:])
	for _, tc := range []struct {
		sort pagination.Sort
		keys []pagination.Key
	}{{byDue, asc}, {byDueDesc, desc}} {
		for i, a := range tc.keys {
			for j, b := range tc.keys {
				if got := tc.sort.Compare(a, b); cmp.Compare(got, 0) != cmp.Compare(i, j) {
					rule.Broken(t, rule.Case{
						Do:   fmt.Sprintf("Sort{Desc: %t}.Compare(%s, %s)", tc.sort.Desc, showKey(a), showKey(b)),
						Got:  got,
						Want: rule.Text(map[int]string{-1: "a negative number", 0: "0", 1: "a positive number"}[cmp.Compare(i, j)]),
						Why:  "What sorts the listing also finds the place in it. Only a total order has places.",
					})
				}
			}
		}
	}
}

func TestPage_TiesNotLostOrRepeated(t *testing.T) {
	tasks := []task{
		{"a", due("1")}, {"b", due("2")}, {"c", due("2")}, {"d", due("2")}, {"e", due("2")},
		{"f", due("2")}, {"g", due("3")}, {"h", due("3")}, {"i", due("4")}, {"j", due("4")},
	}
	want := map[pagination.Sort]string{byDue: "a b c d e f g h i j", byDueDesc: "j i h g f e d c b a"}
	for _, s := range []pagination.Sort{byDue, byDueDesc} {
		for limit := 1; limit <= len(tasks)+1; limit++ {
			requireWalk(t, tasks, s, limit, want[s],
				"Five tasks are due on one day, and the page ends between them. The day alone says no place.")
		}
	}
}

func TestPage_NullsLastBothDirections(t *testing.T) {
	tasks := []task{
		{"a", nil}, {"b", due("2")}, {"c", nil}, {"d", due("")}, {"e", due("1")}, {"f", nil}, {"g", due("null")}, {"h", due("")},
	}
	want := map[pagination.Sort]string{byDue: "d h e b g a c f", byDueDesc: "g b e h d f c a"}
	for _, s := range []pagination.Sort{byDue, byDueDesc} {
		for limit := 1; limit <= len(tasks)+1; limit++ {
			requireWalk(t, tasks, s, limit, want[s],
				"Tasks without a date are read last, whatever the direction. A database decides otherwise if nobody says so.")
		}
	}
}

func TestPage_InsertDeleteBetweenPages(t *testing.T) {
	list := store{{"a", due("1")}, {"b", due("2")}, {"c", due("3")}, {"d", due("4")}, {"e", due("5")}, {"f", due("6")}}
	codec := newCodec(t, key("a"))
	first, text := requestPage(t, codec, list, byDue, 3, "")
	list = list.without("c")                       // the last one that the client has seen
	list = append(list, task{"new", due("0")})     // in front of all that it has seen
	list = append(list, task{"newer", due("3.5")}) // behind it
	second, _ := requestPage(t, codec, list, byDue, 3, text)
	if got := ids(first) + " | " + ids(second); got != "a b c | newer d e" {
		rule.Broken(t, rule.Case{
			Do: `list := tasks{a: 1, b: 2, c: 3, d: 4, e: 5, f: 6}
first, next := Page(After(list, byDue, nil, key), 3, key)
list = list without c, with {new: 0} and {newer: 3.5}
second, _ := Page(After(list, byDue, next, key), 3, key)`,
			Got:  rule.Text(got),
			Want: rule.Text("a b c | newer d e"),
			Why:  "Lists change while they are read. An offset slips with every change, and a row that marks the place can be gone.",
		})
	}

	const seed = 83
	rnd := rand.New(rand.NewPCG(seed, seed))
	for round := range 300 {
		s := pagination.Sort{Field: "due_at", Desc: round%2 == 1}
		requireStableWalk(t, rnd, codec, s, fmt.Sprintf("// round %d of seed %d: tasks come and go between the pages", round, seed))
	}
}

// requireStableWalk pages through a list that changes meanwhile. What was there
// all the time has to be seen once, and nothing twice.
func requireStableWalk(t *testing.T, rnd *rand.Rand, codec *pagination.Codec, s pagination.Sort, do string) {
	t.Helper()
	created := 0
	create := func() task {
		created++
		id := fmt.Sprintf("%d", rnd.IntN(100)*1000+created)
		if rnd.IntN(4) == 0 {
			return task{id, nil}
		}
		return task{id, due(fmt.Sprint(rnd.IntN(4)))}
	}
	var list store
	for range rnd.IntN(20) {
		list = append(list, create())
	}
	stable := make(map[string]bool)
	for _, t := range list {
		stable[t.id] = true
	}
	seen := make(map[string]int)
	limit := 1 + rnd.IntN(5)
	text := ""
	for {
		var page []task
		page, text = requestPage(t, codec, list, s, limit, text)
		for _, t := range page {
			seen[t.id]++
		}
		if text == "" {
			break
		}
		if len(seen) > 200 {
			rule.Broken(t, rule.Case{Do: do, Got: rule.Text("more than 200 tasks, and no end"), Want: rule.Text("an end of the list")})
		}
		for range rnd.IntN(3) {
			if len(list) > 0 {
				gone := list[rnd.IntN(len(list))].id
				list = list.without(gone)
				delete(stable, gone)
			}
		}
		if rnd.IntN(2) == 0 {
			list = append(list, create())
		}
	}
	for id := range stable {
		if seen[id] != 1 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("task %s was on %d pages", id, seen[id]), Want: rule.Text("1: it was in the list all the time"),
				Why: "A task that is on no page is a task that nobody does.",
			})
		}
	}
	for id, n := range seen {
		if n > 1 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("task %s was on %d pages", id, n), Want: rule.Text("at most 1"),
				Why: "An export that has a row twice pays an invoice twice.",
			})
		}
	}
}

func TestPage_ExactMultipleHasNoEmptyPage(t *testing.T) {
	for _, tc := range []struct {
		n, limit int
		want     []int // lengths of the pages
	}{
		{0, 3, []int{0}},
		{1, 3, []int{1}},
		{3, 3, []int{3}},
		{4, 3, []int{3, 1}},
		{6, 3, []int{3, 3}},
		{7, 3, []int{3, 3, 1}},
		{3, 1, []int{1, 1, 1}},
	} {
		codec := newCodec(t, key("a"))
		var list store
		for i := range tc.n {
			list = append(list, task{fmt.Sprintf("%02d", i), due("1")})
		}
		var got []int
		text := ""
		for range tc.n + 2 {
			var page []task
			page, text = requestPage(t, codec, list, byDue, tc.limit, text)
			got = append(got, len(page))
			if text == "" {
				break
			}
		}
		if !slices.Equal(got, tc.want) {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("// %d tasks in pages of %d, until next is nil", tc.n, tc.limit),
				Got:  rule.Textf("pages of %v tasks", got),
				Want: rule.Textf("pages of %v tasks", tc.want),
				Why:  `A button "next" that leads to an empty page is a bug report.`,
			})
		}
	}
}

func TestPage_PullsAtMostLimitPlusOne(t *testing.T) {
	for _, tc := range []struct{ n, limit, pulled, length int }{
		{1000, 3, 4, 3},
		{1000, 1, 2, 1},
		{4, 3, 4, 3},
		{3, 3, 3, 3},
		{2, 3, 2, 2},
		{1000, 0, 0, 0},
		{1000, -1, 0, 0},
		{1000, math.MinInt, 0, 0},
	} {
		pulled := 0
		page, next := pagination.Page(numbers(tc.n, &pulled), tc.limit, numberKey)
		if len(page) != tc.length || pulled > tc.pulled || (next != nil) != (tc.length > 0 && tc.n > tc.limit) {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("page, next := Page(items, %d, key) // %d items", tc.limit, tc.n),
				Got:  rule.Textf("%d items, next is nil: %t, %d items taken from the sequence", len(page), next == nil, pulled),
				Want: rule.Textf("%d items, next is nil: %t, at most %d items taken", tc.length, tc.length == 0 || tc.n <= tc.limit, tc.pulled),
				Why:  "The sequence is a database cursor. Who reads it to the end reads the table for one page.",
			})
		}
	}
}

func TestPage_LimitOfAnySize(t *testing.T) {
	for _, limit := range []int{math.MaxInt, math.MaxInt - 1, 1 << 40} {
		do := fmt.Sprintf("page, next := Page(items, %d, key) // 3 items", limit)
		func() {
			defer func() {
				if p := recover(); p != nil {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("panic: %v", p), Want: rule.Text("3 items"),
						Why: "A limit from a URL that decides how much memory is reserved is a way to stop the service.",
					})
				}
			}()
			pulled := 0
			page, next := pagination.Page(numbers(3, &pulled), limit, numberKey)
			if len(page) != 3 || next != nil {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%d items, next is nil: %t", len(page), next == nil), Want: rule.Text("3 items, next is nil: true"),
					Why: `"All of them" is often written as the largest number.`,
				})
			}
		}()
	}
}

func TestAfter_SeeksInFewSteps(t *testing.T) {
	const n, steps = 100_000, 50
	sorted := make([]int, n)
	for i := range sorted {
		sorted[i] = 2 * i
	}
	for _, s := range []pagination.Sort{byDue, byDueDesc} {
		for _, last := range []int{-1, 0, 1, n, n + 1, 2*n - 3, 2*n - 2, 2 * n} {
			do := fmt.Sprintf("sorted := the even numbers below %d // in the order of Sort{Desc: %t}\nAfter(sorted, sort, number %d, key)", 2*n, s.Desc, last)
			calls := 0
			counted := func(i int) pagination.Key { calls++; return numberKey(i) }
			first, ok := -1, false
			for item := range pagination.After(sorted, s, new(numberKey(last)), counted) {
				first, ok = item, true
				break
			}
			want := (last + 2) / 2 * 2 // the next even number above last
			if s.Desc {
				want = (last+1)/2*2 - 2
			}
			if wantOK := 0 <= want && want < 2*n; ok != wantOK || ok && first != want {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("begins with %d: %t", first, ok), Want: rule.Textf("begins with %d: %t", want, wantOK),
					Why: "The next page begins behind the last item, also when that item is gone.",
				})
			}
			if calls > steps {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%d calls of key before the first item", calls), Want: rule.Textf("at most %d", steps),
					Why: "Page 1000 that costs as much as all pages before it is what OFFSET does.",
				})
			}
		}
		slices.Reverse(sorted)
	}
}

// task is what the listings of the tests hold. A nil due date is a null.
type task struct {
	id  string
	due *string
}

func due(s string) *string { return &s }

func taskKey(t task) pagination.Key {
	if t.due == nil {
		return pagination.Key{Null: true, ID: t.id}
	}
	return pagination.Key{Value: *t.due, ID: t.id}
}

type store []task

func (s store) without(id string) store {
	return slices.DeleteFunc(slices.Clone(s), func(t task) bool { return t.id == id })
}

// requestPage does what a handler does: it reads the cursor of the client, seeks,
// cuts a page, and writes the next cursor. "" is no cursor.
func requestPage(t *testing.T, codec *pagination.Codec, list store, s pagination.Sort, limit int, text string) (page []task, nextText string) {
	t.Helper()
	var last *pagination.Key
	if text != "" {
		cur, err := codec.Decode(text, s, mine)
		if err != nil {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("c.Decode(%q, %s, %q) // what Encode gave for the page before", text, showSort(s), mine), Got: err, Want: nil,
				Why: "The client pages through its list with what it was given.",
			})
		}
		last = &cur.Last
	}
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b task) int { return s.Compare(taskKey(a), taskKey(b)) })
	page, next := pagination.Page(pagination.After(sorted, s, last, taskKey), limit, taskKey)
	if next == nil {
		return page, ""
	}
	return page, requireEncoded(t, codec, pagination.Cursor{Sort: s, Filter: mine, Last: *next})
}

func requireWalk(t *testing.T, list store, s pagination.Sort, limit int, want, why string) {
	t.Helper()
	codec := newCodec(t, key("a"))
	var all []task
	text := ""
	for range len(list) + 2 {
		var page []task
		page, text = requestPage(t, codec, list, s, limit, text)
		all = append(all, page...)
		if text == "" {
			break
		}
	}
	if got := ids(all); got != want {
		var tasks []string
		for _, t := range list {
			if t.due == nil {
				tasks = append(tasks, t.id+": null")
			} else {
				tasks = append(tasks, fmt.Sprintf("%s: %q", t.id, *t.due))
			}
		}
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("// {%s}\n// all pages of %d tasks, Sort{Desc: %t}", strings.Join(tasks, ", "), limit, s.Desc),
			Got:  rule.Text(got),
			Want: rule.Text(want),
			Why:  why,
		})
	}
}

func ids(tasks []task) string {
	var s []string
	for _, t := range tasks {
		s = append(s, t.id)
	}
	return strings.Join(s, " ")
}

// numbers yields 0 to n-1 and counts what was taken.
func numbers(n int, taken *int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			*taken++
			if !yield(i) {
				return
			}
		}
	}
}

func numberKey(i int) pagination.Key {
	return pagination.Key{Value: fmt.Sprintf("%08d", i+1), ID: fmt.Sprintf("%08d", i+1)}
}

// key returns a signing key that differs for each name.
func key(name string) []byte {
	return []byte(name + strings.Repeat("k", pagination.MinKeyLen))[:pagination.MinKeyLen]
}

func cursor(value, id string) pagination.Cursor {
	return pagination.Cursor{Sort: byDue, Filter: mine, Last: pagination.Key{Value: value, ID: id}}
}

func newCodec(t testing.TB, keys ...[]byte) *pagination.Codec {
	t.Helper()
	codec, err := pagination.NewCodec(keys...)
	if err != nil || codec == nil {
		rule.Broken(t, rule.Case{
			Do: "c, err := NewCodec(key) // 32 bytes", Got: rule.Textf("Codec is nil: %t, error: %v", codec == nil, err), Want: rule.Text("a Codec and nil"),
		})
	}
	return codec
}

// requireEncoded returns the text of cur, and fails t unless it can be read again.
func requireEncoded(t testing.TB, codec *pagination.Codec, cur pagination.Cursor) string {
	t.Helper()
	text := codec.Encode(cur)
	if got, err := codec.Decode(text, cur.Sort, cur.Filter); err != nil || got != cur {
		rule.Broken(t, rule.Case{
			Do: fmt.Sprintf("s := c.Encode(%s)\nc.Decode(s, cur.Sort, cur.Filter)", show(cur)), Got: outcome(got, err), Want: rule.Text(show(cur)),
			Why: "A cursor that its own service refuses ends the list after one page.",
		})
	}
	return text
}

func requireInvalid(t *testing.T, do string, got pagination.Cursor, err error, why string) {
	t.Helper()
	if !invalid(got, err) {
		rule.Broken(t, rule.Case{Do: do, Got: outcome(got, err), Want: rule.Text("the zero Cursor, ErrInvalidCursor"), Why: why})
	}
}

func invalid(got pagination.Cursor, err error) bool {
	return errors.Is(err, pagination.ErrInvalidCursor) && got == (pagination.Cursor{})
}

// requireOnlyEncoded fails t if codec takes s for cur without having made it.
func requireOnlyEncoded(t *testing.T, codec *pagination.Codec, cur pagination.Cursor, s string) {
	t.Helper()
	got, err := codec.Decode(s, cur.Sort, cur.Filter)
	if invalid(got, err) || err == nil && codec.Encode(got) == s {
		return
	}
	requireInvalid(t, fmt.Sprintf("c.Decode(%q, cur.Sort, cur.Filter)", s), got, err,
		"Cursors come from the outside. What Encode has not written is refused, whatever it looks like.")
}

// seeds are texts that Decode has to refuse, except the first.
func seeds(t testing.TB, codec *pagination.Codec, cur pagination.Cursor) []string {
	t.Helper()
	texts := []string{requireEncoded(t, codec, cur)}
	for _, payload := range []string{"", "\x00", "\x00\x0a2026-03-01tsk_1", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", strings.Repeat("\x00", 33), strings.Repeat("\xff", 100), `{"v":"2026","id":"1"}`, "null", "[]"} {
		texts = append(texts, pagination.Version+base64.RawURLEncoding.EncodeToString([]byte(payload)))
	}
	return append(texts, "", "v2", "v2.", "v2..", "v2.=", "v1.e30", "v2.e30.e30", "v2.\n", "40", "' OR 1=1 --", "\x00", "\xff", strings.Repeat("A", 5000))
}

// mutate changes s a little, as text or below its base64.
func mutate(rnd *rand.Rand, s string) string {
	if rest, ok := strings.CutPrefix(s, pagination.Version); ok && rnd.IntN(2) == 0 {
		if raw, err := base64.RawURLEncoding.DecodeString(rest); err == nil {
			return pagination.Version + base64.RawURLEncoding.EncodeToString(mutateBytes(rnd, raw))
		}
	}
	return string(mutateBytes(rnd, []byte(s)))
}

func mutateBytes(rnd *rand.Rand, b []byte) []byte {
	for range 1 + rnd.IntN(4) {
		at := rnd.IntN(len(b) + 1)
		switch rnd.IntN(4) {
		case 0:
			b = b[:at]
		case 1:
			b = slices.Insert(b, at, byte(rnd.IntN(256)))
		case 2:
			b = slices.Delete(b, at, min(at+1+rnd.IntN(8), len(b)))
		default:
			if at < len(b) {
				b[at] ^= byte(1 << rnd.IntN(8))
			}
		}
	}
	return b
}

func randomText(rnd *rand.Rand, n int) string {
	b := make([]byte, rnd.IntN(n))
	for i := range b {
		b[i] = byte(rnd.IntN(256))
	}
	return string(b)
}

// show writes cur as Go code.
func show(cur pagination.Cursor) string {
	return fmt.Sprintf("Cursor{Sort: %s, Filter: %q, Last: %s}", showSort(cur.Sort), cur.Filter, showKey(cur.Last))
}

func showSort(s pagination.Sort) string {
	return fmt.Sprintf("Sort{Field: %q, Desc: %t}", s.Field, s.Desc)
}

func showKey(k pagination.Key) string {
	if k.Null {
		return fmt.Sprintf("Key{Null: true, ID: %q}", k.ID)
	}
	return fmt.Sprintf("Key{Value: %q, ID: %q}", k.Value, k.ID)
}

func outcome(cur pagination.Cursor, err error) rule.Text {
	if err == nil {
		return rule.Text(show(cur))
	}
	if cur == (pagination.Cursor{}) {
		return rule.Textf("the zero Cursor, error %q", err)
	}
	return rule.Textf("%s, error %q", show(cur), err)
}
