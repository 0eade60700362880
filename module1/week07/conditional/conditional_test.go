package conditional_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week07/conditional"
)

func TestParse_Lists(t *testing.T) {
	for _, tc := range []struct {
		header string
		want   []conditional.ETag
		any    bool
	}{
		{header: `"v7"`, want: tags(`v7`)},
		{header: `W/"v7"`, want: []conditional.ETag{{Opaque: "v7", Weak: true}}},
		{header: `"a", W/"b", "c"`, want: []conditional.ETag{{Opaque: "a"}, {Opaque: "b", Weak: true}, {Opaque: "c"}}},
		{header: `"b","a","b"`, want: tags("b", "a", "b")},
		{header: "\t \"a\"\t,\t \"b\" ", want: tags("a", "b")},
		{header: `, "a",,"b" ,`, want: tags("a", "b")},
		{header: `""`, want: tags("")},
		{header: `W/"",""`, want: []conditional.ETag{{Weak: true}, {}}},
		{header: `"W/"`, want: tags("W/")},
		{header: `"*"`, want: tags("*")},
		{header: `"\"`, want: tags(`\`)},
		{header: `"!#$%&'()+-./:;<=>?@[]^_{|}~"`, want: tags("!#$%&'()+-./:;<=>?@[]^_{|}~")},
		{header: "\"\x80é\xff\"", want: tags("\x80é\xff")},
		{header: `*`, any: true},
		{header: " *\t", any: true},
		{header: ``},
		{header: " \t"},
		{header: ` , ,`},
	} {
		got, any, err := conditional.ParseETags(tc.header)
		if err != nil || any != tc.any || !sameTags(got, tc.want) {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("ParseETags(%q)", tc.header),
				Got:  parsed(got, any, err),
				Want: parsed(tc.want, tc.any, nil),
				Why:  "Proxies and libraries rewrite lists in every way that the grammar allows, and their users cannot save.",
			})
		}
	}
}

func TestParse_Malformed(t *testing.T) {
	for _, header := range []string{
		`v7`, `'v7'`, `"v7`, `v7"`, `"`, `W/`, `W/"`, `W/v7`, `w/"v7"`, `W/ "v7"`, `W "v7"`, `/"v7"`, `W/W/"v7"`,
		`"a" "b"`, `"a""b"`, `"a"W/"b"`, `"a";"b"`, `"a", b`, `"a", "b`, `"a"*`, `*, "a"`, `"a", *`, `*,*`, `**`, `*,`, `W/*`,
		`"a b"`, "\"a\tb\"", "\"a\x00b\"", "\"a\nb\"", "\"a\x7fb\"", "\"a\"\n", "\u00a0\"a\"", `"a\"b"`,
	} {
		got, any, err := conditional.ParseETags(header)
		if !errors.Is(err, conditional.ErrMalformed) || any || len(got) != 0 {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("ParseETags(%q)", header),
				Got:  parsed(got, any, err),
				Want: rule.Text("no tags, false, ErrMalformed"),
				Why:  "A guess about what the client meant decides whether somebody's work is overwritten.",
			})
		}
	}
}

func TestParse_CommaInsideTag(t *testing.T) {
	for _, tc := range []struct {
		header string
		want   []conditional.ETag
	}{
		{`"a,b"`, tags("a,b")},
		{`","`, tags(",")},
		{`W/"v1,eu", "v2,us"`, []conditional.ETag{{Opaque: "v1,eu", Weak: true}, {Opaque: "v2,us"}}},
	} {
		got, any, err := conditional.ParseETags(tc.header)
		if err != nil || any || !sameTags(got, tc.want) {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("ParseETags(%q)", tc.header),
				Got:  parsed(got, any, err),
				Want: parsed(tc.want, false, nil),
				Why:  "A comma between quotes is part of the tag. Our own tags have none, those of the gateway before us may.",
			})
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, header := range corpus {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) { requireModel(t, header) })
}

// TestParse_Generated compares the parser with the model on mutations of the
// corpus.
func TestParse_Generated(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 3))
	const bytes = "\"\"\"\",,, \tW/*ab\\\x00\x1f!\x7f\x80\xff"
	for range 20_000 {
		header := []byte(corpus[rng.IntN(len(corpus))])
		for range rng.IntN(4) {
			at, b := rng.IntN(len(header)+1), bytes[rng.IntN(len(bytes))]
			switch {
			case rng.IntN(3) == 0:
				header = slices.Insert(header, at, b)
			case at == len(header):
				header = append(header, corpus[rng.IntN(len(corpus))]...)
			case rng.IntN(2) == 0:
				header = slices.Delete(header, at, at+1)
			default:
				header[at] = b
			}
		}
		requireModel(t, string(header))
	}
}

var corpus = []string{
	`"v7"`, `W/"v7"`, `"a", W/"b", "c"`, `, "a",,"b" ,`, `"a,b"`, `W/"v1,eu", "v2,us"`, `""`, `*`, " *\t", ``, ` , ,`,
	`"*"`, `"\"`, `"a\"b"`, `*, "a"`, `w/"a"`, `W/ "a"`, `"a" "b"`, `"a""b"`, `"a`, `"a b"`, `v7`, "\"\x80\xff\"",
}

// The model of a list: it reads the value with expressions, and is far too slow
// for a server.
var (
	modelTag  = `(?:W/)?"[^\x00-\x20"\x7f]*"`
	modelTags = regexp.MustCompile(modelTag)
	modelList = regexp.MustCompile(`^[ \t]*(?:` + modelTag + `)?(?:[ \t]*,[ \t]*(?:` + modelTag + `)?)*[ \t]*$`)
)

func requireModel(t *testing.T, header string) {
	t.Helper()
	var want []conditional.ETag
	wantAny := strings.Trim(header, " \t") == "*"
	valid := wantAny
	if !wantAny && modelList.MatchString(header) {
		valid = true
		for _, text := range modelTags.FindAllString(header, -1) {
			opaque, weak := strings.CutPrefix(text, "W/")
			want = append(want, conditional.ETag{Opaque: opaque[1 : len(opaque)-1], Weak: weak})
		}
	}

	got, any, err := conditional.ParseETags(header)
	if errors.Is(err, conditional.ErrMalformed) == valid || (err == nil) != valid || any != wantAny || !sameTags(got, want) {
		c := rule.Case{
			Do:   fmt.Sprintf("ParseETags(%q)", header),
			Got:  parsed(got, any, err),
			Want: parsed(want, wantAny, nil),
			Why:  "A header is written by strangers: every value is either a list or an error.",
		}
		if !valid {
			c.Want = rule.Text("no tags, false, ErrMalformed")
		}
		rule.Broken(t, c)
	}
}

func TestETag_StringIsTheHeader(t *testing.T) {
	for _, tc := range []struct {
		tag  conditional.ETag
		want string
	}{
		{conditional.ETag{Opaque: "v7"}, `"v7"`},
		{conditional.ETag{Opaque: "v7", Weak: true}, `W/"v7"`},
		{conditional.ETag{}, `""`},
		{conditional.ETag{Opaque: `a\b,é`}, `"a\b,é"`},
	} {
		if got := tc.tag.String(); got != tc.want {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("fmt.Print(%s)", lit(tc.tag)),
				Got:  rule.Text(got),
				Want: rule.Text(tc.want),
				Why:  "A client sends back what it got, byte by byte: quotes are part of an entity tag, escapes are not.",
			})
		}
	}
}

// comparisons is the table of RFC 9110, section 8.8.3.2, and a little more.
var comparisons = []struct {
	a, b         conditional.ETag
	strong, weak bool
}{
	{conditional.ETag{Opaque: "1", Weak: true}, conditional.ETag{Opaque: "1", Weak: true}, false, true},
	{conditional.ETag{Opaque: "1", Weak: true}, conditional.ETag{Opaque: "2", Weak: true}, false, false},
	{conditional.ETag{Opaque: "1", Weak: true}, conditional.ETag{Opaque: "1"}, false, true},
	{conditional.ETag{Opaque: "1"}, conditional.ETag{Opaque: "1", Weak: true}, false, true},
	{conditional.ETag{Opaque: "1"}, conditional.ETag{Opaque: "1"}, true, true},
	{conditional.ETag{Opaque: "a"}, conditional.ETag{Opaque: "A"}, false, false},
	{conditional.ETag{}, conditional.ETag{}, true, true},
}

func TestStrong_WeakNeverMatches(t *testing.T) {
	for _, tc := range comparisons {
		if got := tc.a.StrongMatch(tc.b); got != tc.strong {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("%s.StrongMatch(%s)", lit(tc.a), lit(tc.b)),
				Got:  got,
				Want: tc.strong,
				Why:  "A weak tag says that two representations mean the same. It does not say that nothing would be lost.",
			})
		}
	}
	for _, tc := range []request{
		{method: "PATCH", headers: []string{`If-Match: W/"v7"`}, want: conditional.PreconditionFailed},
		{method: "DELETE", headers: []string{`If-Match: "v6", W/"v7"`}, want: conditional.PreconditionFailed},
		{method: "PATCH", headers: []string{`If-Match: W/"v7", "v7"`}, want: conditional.Proceed},
		{method: "PATCH", headers: []string{`If-Match: "v7"`}, current: "W/", want: conditional.PreconditionFailed},
		{method: "PATCH", headers: []string{`If-Match: W/"v7"`}, current: "W/", want: conditional.PreconditionFailed},
	} {
		tc.require(t, "A proxy that compresses makes a tag weak. A write that accepts it overwrites a version that nobody has seen.")
	}
}

func TestEvaluate_IfMatchStar(t *testing.T) {
	for _, tc := range []request{
		{method: "PUT", headers: []string{`If-Match: *`}, missing: true, want: conditional.PreconditionFailed},
		{method: "PUT", headers: []string{`If-Match: *`}, want: conditional.Proceed},
		{method: "PATCH", headers: []string{`If-Match: *`}, required: true, want: conditional.Proceed},
		{method: "PATCH", headers: []string{`If-Match: *`}, current: "W/", want: conditional.Proceed},
		{method: "PUT", headers: []string{`If-Match: "*"`}, want: conditional.PreconditionFailed},
		{method: "PUT", headers: []string{`If-Match: ""`}, missing: true, want: conditional.PreconditionFailed},
		{method: "GET", headers: []string{`If-Match: *`}, missing: true, want: conditional.Proceed},
	} {
		tc.require(t, `"If-Match: *" means: only if there is something to change. It is how a client updates without creating.`)
	}
}

func TestEvaluate_IfMatchList(t *testing.T) {
	for _, tc := range []request{
		{method: "PATCH", headers: []string{`If-Match: "v7"`}, required: true, want: conditional.Proceed},
		{method: "PATCH", headers: []string{`If-Match: "v6"`}, required: true, want: conditional.PreconditionFailed},
		{method: "PATCH", headers: []string{`If-Match: "v5", "v7"`}, want: conditional.Proceed},
		{method: "DELETE", headers: []string{`If-Match: "v6,v7"`}, want: conditional.PreconditionFailed},
		{method: "POST", headers: []string{`If-Match: "v8"`}, want: conditional.PreconditionFailed},
		{method: "GET", headers: []string{`If-Match: "v6"`}, want: conditional.PreconditionFailed},
		{method: "PUT", headers: []string{`If-Match: "v7"`}, missing: true, want: conditional.PreconditionFailed},
	} {
		tc.require(t, "If-Match is the promise that the client has seen what it is about to overwrite.")
	}
}

func TestEvaluate_EmptyIfMatchIsNotAbsent(t *testing.T) {
	for _, tc := range []request{
		{method: "PATCH", headers: []string{`If-Match: `}, want: conditional.PreconditionFailed},
		{method: "PATCH", headers: []string{`If-Match: ,`}, want: conditional.PreconditionFailed},
		{method: "PATCH", headers: []string{`If-Match: `}, required: true, want: conditional.PreconditionFailed},
		{method: "GET", headers: []string{`If-None-Match: `}, want: conditional.Proceed},
	} {
		tc.require(t, "An empty If-Match is a client that lost its tag. Whoever takes it for no condition overwrites other people's work.")
	}
}

func TestEvaluate_IfNoneMatchOnGetAndPut(t *testing.T) {
	for _, tc := range []request{
		{method: "GET", headers: []string{`If-None-Match: "v7"`}, want: conditional.NotModified},
		{method: "HEAD", headers: []string{`If-None-Match: "v6", "v7"`}, want: conditional.NotModified},
		{method: "GET", headers: []string{`If-None-Match: *`}, want: conditional.NotModified},
		{method: "GET", headers: []string{`If-None-Match: "v6"`}, want: conditional.Proceed},
		{method: "GET", headers: []string{`If-None-Match: *`}, missing: true, want: conditional.Proceed},
		{method: "GET", headers: []string{`If-None-Match: "v7"`}, missing: true, want: conditional.Proceed},
		{method: "HEAD", headers: []string{`If-None-Match: ""`}, missing: true, want: conditional.Proceed},
		{method: "PUT", headers: []string{`If-None-Match: *`}, want: conditional.PreconditionFailed},
		{method: "PUT", headers: []string{`If-None-Match: *`}, missing: true, want: conditional.Proceed},
		{method: "PUT", headers: []string{`If-None-Match: ""`}, missing: true, want: conditional.Proceed},
		{method: "PUT", headers: []string{`If-None-Match: "v7"`}, want: conditional.PreconditionFailed},
		{method: "PATCH", headers: []string{`If-None-Match: "v7"`}, want: conditional.PreconditionFailed},
		{method: "DELETE", headers: []string{`If-None-Match: "v6"`}, want: conditional.Proceed},
	} {
		tc.require(t, "304 tells a client to use its copy. A client that wanted to write would believe that it had written.")
	}
}

func TestWeak_IgnoresTheMark(t *testing.T) {
	for _, tc := range comparisons {
		if got := tc.a.WeakMatch(tc.b); got != tc.weak {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("%s.WeakMatch(%s)", lit(tc.a), lit(tc.b)),
				Got:  got,
				Want: tc.weak,
				Why:  "For a cache, two representations that mean the same are the same.",
			})
		}
	}
	for _, tc := range []request{
		{method: "GET", headers: []string{`If-None-Match: W/"v7"`}, want: conditional.NotModified},
		{method: "GET", headers: []string{`If-None-Match: "v7"`}, current: "W/", want: conditional.NotModified},
		{method: "GET", headers: []string{`If-None-Match: W/"v6"`}, want: conditional.Proceed},
		{method: "PUT", headers: []string{`If-None-Match: W/"v7"`}, want: conditional.PreconditionFailed},
	} {
		tc.require(t, "If-None-Match compares weakly. Strong comparison sends everything again to each client behind a compressing proxy.")
	}
}

func TestEvaluate_OrderIfMatchBeforeNoneMatch(t *testing.T) {
	for _, tc := range []request{
		{method: "GET", headers: []string{`If-None-Match: "v7"`, `If-Match: "v6"`}, want: conditional.PreconditionFailed},
		{method: "GET", headers: []string{`If-None-Match: "v7"`, `If-Match: "v7"`}, want: conditional.NotModified},
		{method: "GET", headers: []string{`If-None-Match: "v6"`, `If-Match: "v7"`}, want: conditional.Proceed},
		{method: "PUT", headers: []string{`If-None-Match: "v7"`, `If-Match: "v7"`}, want: conditional.PreconditionFailed},
	} {
		tc.require(t, "If-Match is decided first. A client whose own copy is old must not hear that it is current.")
	}
}

func TestEvaluate_Required428(t *testing.T) {
	for _, tc := range []request{
		{method: "PATCH", required: true, want: conditional.PreconditionRequired},
		{method: "DELETE", required: true, want: conditional.PreconditionRequired},
		{method: "POST", required: true, want: conditional.PreconditionRequired},
		{method: "PUT", headers: []string{`If-None-Match: "v6"`}, required: true, want: conditional.PreconditionRequired},
		{method: "PUT", headers: []string{`If-None-Match: *`}, required: true, want: conditional.PreconditionFailed},
		{method: "PUT", required: true, missing: true, want: conditional.Proceed},
		{method: "PUT", headers: []string{`If-None-Match: *`}, required: true, missing: true, want: conditional.Proceed},
		{method: "GET", required: true, want: conditional.Proceed},
		{method: "HEAD", required: true, want: conditional.Proceed},
		{method: "OPTIONS", required: true, want: conditional.Proceed},
		{method: "PATCH", want: conditional.Proceed},
	} {
		tc.require(t, "428 asks for a condition that is missing. A condition that was sent and failed is a 412, and reading needs none.")
	}
}

func TestEvaluate_MalformedIsBadRequest(t *testing.T) {
	for _, tc := range []request{
		{method: "PATCH", headers: []string{`If-Match: v7`}, want: conditional.BadRequest},
		{method: "PATCH", headers: []string{`If-Match: "v7", v8`}, want: conditional.BadRequest},
		{method: "GET", headers: []string{`If-None-Match: 'v7'`}, want: conditional.BadRequest},
		{method: "PATCH", headers: []string{`If-Match: "v6"`, `If-None-Match: v7`}, want: conditional.BadRequest},
		{method: "PUT", headers: []string{`If-Match: v7`}, missing: true, want: conditional.BadRequest},
		{method: "GET", headers: []string{`If-None-Match: v7`}, missing: true, want: conditional.Proceed},
		{method: "OPTIONS", headers: []string{`If-Match: v7`}, want: conditional.Proceed},
		{method: "TRACE", headers: []string{`If-None-Match: *`}, want: conditional.Proceed},
		{method: "CONNECT", headers: []string{`If-Match: "v6"`}, want: conditional.Proceed},
	} {
		tc.require(t, "A client that sends a condition wants protection. To drop a condition because it is misspelt is to write without one.")
	}
}

func TestEvaluate_MultipleHeaderLines(t *testing.T) {
	for _, tc := range []request{
		{method: "PATCH", headers: []string{`If-Match: "v6"`, `If-Match: "v7"`}, want: conditional.Proceed},
		{method: "GET", headers: []string{`If-None-Match: "v5", "v6"`, `If-None-Match: `, `If-None-Match: W/"v7"`}, want: conditional.NotModified},
		{method: "PATCH", headers: []string{`If-Match: "v7"`, `If-Match: v8`}, want: conditional.BadRequest},
		{method: "PATCH", headers: []string{`If-Match: *`, `If-Match: "v7"`}, want: conditional.BadRequest},
		{method: "PATCH", headers: []string{`If-Match: "v7`, `If-Match: v8"`}, want: conditional.BadRequest},
	} {
		tc.require(t, "Lines of one header are one list: a proxy may split it or join it, and must not change what it means.")
	}
}

func TestEvaluate_DatesDoNotCount(t *testing.T) {
	const past, future = "Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 31 Dec 2100 23:59:59 GMT"
	for _, tc := range []request{
		{method: "GET", headers: []string{`If-Modified-Since: ` + past, `If-None-Match: "v7"`}, want: conditional.NotModified},
		{method: "GET", headers: []string{`If-Modified-Since: ` + future, `If-None-Match: "v6"`}, want: conditional.Proceed},
		{method: "GET", headers: []string{`If-Modified-Since: ` + future}, want: conditional.Proceed},
		{method: "PATCH", headers: []string{`If-Unmodified-Since: ` + past}, want: conditional.Proceed},
		{method: "PATCH", headers: []string{`If-Unmodified-Since: ` + future}, required: true, want: conditional.PreconditionRequired},
	} {
		tc.require(t, "A version has no date. A date of one second's precision cannot tell two saves within one second apart.")
	}
}

func TestEvaluate_Allocs(t *testing.T) {
	list := `"v1", "v2", W/"v3", "v4", "v5", "v6", "v7", "v8", "v9", W/"v7"`
	r := httptest.NewRequest("GET", "/v1/tasks/1", nil)
	r.Header.Set("If-Match", list)
	r.Header.Set("If-None-Match", list)
	current := conditional.ETag{Opaque: "v7"}
	if got := conditional.Evaluate(r, current, true, false); got != conditional.NotModified {
		rule.Broken(t, rule.Case{
			Do:   "Evaluate(r, ETag{Opaque: \"v7\"}, true, false) // GET; If-Match and If-None-Match with ten tags, \"v7\" among them",
			Got:  name(got),
			Want: name(conditional.NotModified),
			Why:  "What is measured has to give the right answer first.",
		})
	}
	allocs.AtMost(t, 2, "Evaluate(r, ETag{Opaque: \"v7\"}, true, false) // GET; If-Match and If-None-Match with ten tags each",
		func() { conditional.Evaluate(r, current, true, false) })
}

// getTask is the handler of the README.
const getTask = `w.Header().Set("Cache-Control", "private, max-age=0")
w.Header().Set("Vary", "Authorization")
w.Header().Set("Content-Type", "application/json")
w.Header().Set("Content-Length", "8")
if !Check(w, r, ForVersion(7), true, false) {
	return
}
fmt.Fprint(w, "{\"id\":1}")`

func TestEvaluate_304KeepsHeaders(t *testing.T) {
	base := http.Header{"Cache-Control": {"private, max-age=0"}, "Vary": {"Authorization"}}
	for _, tc := range []struct {
		method, header string
		status         int
		etag           string
		body           string
	}{
		{"GET", `If-None-Match: "v7"`, 304, `"v7"`, ""},
		{"HEAD", `If-None-Match: W/"v7"`, 304, `"v7"`, ""},
		{"GET", `If-None-Match: "v6"`, 200, `"v7"`, `{"id":1}`},
	} {
		want := base.Clone()
		want.Set("ETag", tc.etag)
		if tc.status == 200 {
			want.Set("Content-Type", "application/json")
			want.Set("Content-Length", "8")
		}
		rec := serve(request{method: tc.method, headers: []string{tc.header}})
		requireAnswer(t, rec, getTask+fmt.Sprintf(" // %s with %s", tc.method, tc.header), tc.status, want, tc.body,
			"A 304 renews the copy in the cache: it carries the headers that a 200 would have, and nothing about content that it does not send.")
	}
}

func TestCheck_AnswersAndStops(t *testing.T) {
	const why = "After false the client has its whole answer. A tag on a refusal invites it to retry with a version that it never read."
	base := http.Header{"Cache-Control": {"private, max-age=0"}, "Vary": {"Authorization"}}
	for _, tc := range []struct {
		request
		status int
	}{
		{request{method: "PATCH", headers: []string{`If-Match: "v6"`}}, 412},
		{request{method: "GET", headers: []string{`If-Match: "v6"`}}, 412},
		{request{method: "PATCH", required: true}, 428},
		{request{method: "PATCH", headers: []string{`If-Match: v7`}}, 400},
		{request{method: "GET", headers: []string{`If-None-Match: v7`}}, 400},
	} {
		requireAnswer(t, serve(tc.request), tc.handler(), tc.status, base, "", why)
	}

	full := base.Clone()
	full.Set("Content-Type", "application/json")
	full.Set("Content-Length", "8")
	for _, tc := range []request{
		{method: "PATCH", headers: []string{`If-Match: "v7"`}, required: true},
		{method: "PUT", missing: true},
		{method: "GET", missing: true},
	} {
		requireAnswer(t, serve(tc), tc.handler(), 200, full, `{"id":1}`,
			"ETag describes what the answer represents. Before a write nobody knows the new tag, and what does not exist has none.")
	}
}

// handler shows a handler that calls Check as serve does.
func (tc request) handler() string {
	text := strings.Replace(getTask, "ForVersion(7), true, false", fmt.Sprintf("ForVersion(7), %v, %v", !tc.missing, tc.required), 1)
	text += " // " + tc.method
	if len(tc.headers) > 0 {
		text += " with " + strings.Join(tc.headers, ", ")
	}
	return text
}

// serve runs the handler getTask.
func serve(tc request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	rec.Header().Set("Cache-Control", "private, max-age=0")
	rec.Header().Set("Vary", "Authorization")
	rec.Header().Set("Content-Type", "application/json")
	rec.Header().Set("Content-Length", "8")
	if conditional.Check(rec, tc.build(), conditional.ForVersion(7), !tc.missing, tc.required) {
		fmt.Fprint(rec, `{"id":1}`)
	}
	return rec
}

func requireAnswer(t *testing.T, rec *httptest.ResponseRecorder, do string, status int, header http.Header, body, why string) {
	t.Helper()
	res := rec.Result()
	if res.StatusCode == status && cmp.Equal(res.Header, header) && rec.Body.String() == body {
		return
	}
	rule.Broken(t, rule.Case{
		Do:   do,
		Got:  answer(res.StatusCode, res.Header, rec.Body.String()),
		Want: answer(status, header, body),
		Why:  why,
	})
}

func answer(status int, header http.Header, body string) rule.Text {
	var text strings.Builder
	fmt.Fprintln(&text, status)
	_ = header.Write(&text)
	return rule.Text(strings.TrimSpace(strings.ReplaceAll(text.String(), "\r", "") + body))
}

func TestVersion_RoundTrip(t *testing.T) {
	for _, n := range []uint64{0, 1, 7, 10, 42, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
		tag := conditional.ForVersion(n)
		if want := (conditional.ETag{Opaque: fmt.Sprintf("v%d", n)}); tag != want {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("ForVersion(%d)", n),
				Got:  rule.Text(lit(tag)),
				Want: rule.Text(lit(want)),
				Why:  "Clients keep tags for weeks: the spelling is part of the API.",
			})
		}
		if got, ok := conditional.Version(tag); got != n || !ok {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("Version(ForVersion(%d))", n),
				Got:  rule.Textf("%d, %v", got, ok),
				Want: rule.Textf("%d, true", n),
				Why:  "What the server gave out it has to understand when it comes back.",
			})
		}
	}
	for _, tag := range []conditional.ETag{
		{Opaque: "v7", Weak: true}, {}, {Opaque: "v"}, {Opaque: "7"}, {Opaque: "V7"}, {Opaque: "vv7"}, {Opaque: "v7v"},
		{Opaque: "v07"}, {Opaque: "v00"}, {Opaque: "v+7"}, {Opaque: "v-7"}, {Opaque: "v 7"}, {Opaque: "v7 "}, {Opaque: "v7_0"},
		{Opaque: "v0x7"}, {Opaque: "v7.0"}, {Opaque: "v1e3"}, {Opaque: "v\u0667"},
		{Opaque: "v18446744073709551616"}, {Opaque: "v99999999999999999999999"},
	} {
		if got, ok := conditional.Version(tag); got != 0 || ok {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("Version(%s)", lit(tag)),
				Got:  rule.Textf("%d, %v", got, ok),
				Want: rule.Text("0, false"),
				Why:  "A tag that the server never gave out names no version. Two spellings of one version are two tags for every cache.",
			})
		}
	}
}

// request is a request for a task whose tag is "v7".
type request struct {
	method   string
	headers  []string // "Name: value"
	current  string   // "W/" makes the current tag weak
	missing  bool     // the task does not exist
	required bool
	want     conditional.Decision
}

func (tc request) build() *http.Request {
	r := httptest.NewRequest(tc.method, "/v1/tasks/1", nil)
	for _, line := range tc.headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func (tc request) require(t *testing.T, why string) {
	t.Helper()
	r := tc.build()
	before := r.Header.Clone()
	current := conditional.ETag{Opaque: "v7", Weak: tc.current == "W/"}
	if tc.missing {
		current = conditional.ETag{}
	}

	do := fmt.Sprintf("r := httptest.NewRequest(%q, \"/v1/tasks/1\", nil)\n", tc.method)
	for _, line := range tc.headers {
		name, value, _ := strings.Cut(line, ": ")
		do += fmt.Sprintf("r.Header.Add(%q, %#q)\n", name, value)
	}
	do += fmt.Sprintf("Evaluate(r, %s, %v, %v)", lit(current), !tc.missing, tc.required)

	if got := conditional.Evaluate(r, current, !tc.missing, tc.required); got != tc.want {
		rule.Broken(t, rule.Case{Do: do, Got: name(got), Want: name(tc.want), Why: why})
	}
	if diff := cmp.Diff(before, r.Header); diff != "" {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("a changed request (-before +after):\n%s", diff),
			Want: rule.Text("a request as it was"),
			Why:  "The access log and the handler read the same headers.",
		})
	}
}

func tags(opaque ...string) []conditional.ETag {
	var list []conditional.ETag
	for _, o := range opaque {
		list = append(list, conditional.ETag{Opaque: o})
	}
	return list
}

func sameTags(a, b []conditional.ETag) bool { return cmp.Equal(a, b, cmpopts.EquateEmpty()) }

func parsed(tags []conditional.ETag, any bool, err error) rule.Text {
	var list []string
	for _, tag := range tags {
		list = append(list, lit(tag))
	}
	return rule.Textf("[%s], %v, %v", strings.Join(list, ", "), any, err)
}

func lit(e conditional.ETag) string {
	switch {
	case e.Weak:
		return fmt.Sprintf("ETag{Opaque: %q, Weak: true}", e.Opaque)
	case e.Opaque == "":
		return "ETag{}"
	default:
		return fmt.Sprintf("ETag{Opaque: %q}", e.Opaque)
	}
}

func name(d conditional.Decision) rule.Text {
	names := []rule.Text{"Proceed", "NotModified", "PreconditionFailed", "PreconditionRequired", "BadRequest"}
	if int(d) < len(names) {
		return names[d]
	}
	return rule.Textf("Decision(%d)", d)
}
