//course:since m04a

package etag_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/middle-go/course/tasktracker/web/etag"
)

var (
	v1     = etag.ForVersion(1)
	v2     = etag.ForVersion(2)
	weakV2 = etag.ETag{Opaque: "v2", Weak: true}
)

// request has headers as pairs of a name and a value.
func request(method string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, "/v1/tasks/tsk_1", nil)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	return r
}

func TestParseETags_ReadsListsAsClientsWriteThem(t *testing.T) {
	for header, want := range map[string][]etag.ETag{
		`"v1"`:                {v1},
		`W/"v2"`:              {weakV2},
		`"v1", "v2"`:          {v1, v2},
		"\t\"v1\" ,W/\"v2\" ": {v1, weakV2},
		`,, "v1",,`:           {v1},
		`"a,b"`:               {{Opaque: "a,b"}},
		`"a\"`:                {{Opaque: `a\`}},
		`""`:                  {{}},
		`"é"`:                 {{Opaque: "é"}},
		``:                    nil,
	} {
		tags, star, err := etag.ParseETags(header)
		if !slices.Equal(tags, want) || star || err != nil {
			t.Errorf("ParseETags(%q) = %v, %v, %v; want %v", header, tags, star, err, want)
		}
	}
	if tags, star, err := etag.ParseETags(" * "); len(tags) > 0 || !star || err != nil {
		t.Errorf("ParseETags(*) = %v, %v, %v; want any", tags, star, err)
	}
}

func TestParseETags_RefusesWhatIsNoList(t *testing.T) {
	for _, header := range []string{`v1`, `"v1`, `v1"`, `"v1" "v2"`, `w/"v1"`, `W/v1`, `"v 1"`, "\"v\x7f1\"", `*, "v1"`, `"v1", *`} {
		tags, star, err := etag.ParseETags(header)
		if len(tags) > 0 || star || !errors.Is(err, etag.ErrMalformed) {
			t.Errorf("ParseETags(%q) = %v, %v, %v; want ErrMalformed", header, tags, star, err)
		}
	}
}

func TestMatch_StrongNeedsTwoStrongTags(t *testing.T) {
	for _, tc := range []struct {
		a, b         etag.ETag
		strong, weak bool
	}{
		{v2, v2, true, true},
		{v2, weakV2, false, true},
		{weakV2, v2, false, true},
		{weakV2, weakV2, false, true},
		{v1, v2, false, false},
	} {
		if strong, weak := tc.a.StrongMatch(tc.b), tc.a.WeakMatch(tc.b); strong != tc.strong || weak != tc.weak {
			t.Errorf("%v and %v match: strongly %v, weakly %v; want %v, %v", tc.a, tc.b, strong, weak, tc.strong, tc.weak)
		}
	}
}

func TestForVersion_ComesBackFromAHeader(t *testing.T) {
	tags, _, err := etag.ParseETags(etag.ForVersion(18446744073709551615).String() + "," + weakV2.String())
	want := []etag.ETag{{Opaque: "v18446744073709551615"}, weakV2}
	if !slices.Equal(tags, want) || err != nil {
		t.Errorf("tags = %v, %v; want %v", tags, err, want)
	}
}

func TestEvaluate_AWriteNamesTheVersionThatIsThere(t *testing.T) {
	for name, tc := range map[string]struct {
		headers []string
		want    etag.Decision
	}{
		"this version":      {[]string{"If-Match", `"v2"`}, etag.Proceed},
		"one of several":    {[]string{"If-Match", `"v1", "v2"`}, etag.Proceed},
		"any version":       {[]string{"If-Match", `*`}, etag.Proceed},
		"older version":     {[]string{"If-Match", `"v1"`}, etag.PreconditionFailed},
		"weak tag":          {[]string{"If-Match", `W/"v2"`}, etag.PreconditionFailed},
		"no version at all": {[]string{"If-Match", ``}, etag.PreconditionFailed},
		"nothing":           {nil, etag.PreconditionRequired},
		"not this version":  {[]string{"If-Match", `*`, "If-None-Match", `"v2"`}, etag.PreconditionFailed},
		"unreadable":        {[]string{"If-Match", `v2`}, etag.BadRequest},
	} {
		if got := etag.Evaluate(request("PATCH", tc.headers...), v2, true, true); got != tc.want {
			t.Errorf("%s: decision %d, want %d", name, got, tc.want)
		}
	}
	if got := etag.Evaluate(request("DELETE"), v2, true, false); got != etag.Proceed {
		t.Errorf("DELETE that needs no If-Match: decision %d, want Proceed", got)
	}
}

func TestEvaluate_TheNewestCopyIsNotSentAgain(t *testing.T) {
	for _, method := range []string{"GET", "HEAD"} {
		for header, want := range map[string]etag.Decision{
			`"v2"`:   etag.NotModified,
			`W/"v2"`: etag.NotModified, // good enough for reading
			`*`:      etag.NotModified,
			`"v1"`:   etag.Proceed,
			`v2`:     etag.BadRequest,
		} {
			if got := etag.Evaluate(request(method, "If-None-Match", header), v2, true, true); got != want {
				t.Errorf("%s with If-None-Match: %s: decision %d, want %d", method, header, got, want)
			}
		}
	}
}

func TestEvaluate_IfMatchIsAskedFirst(t *testing.T) {
	r := request("GET", "If-None-Match", `"v2"`, "If-Match", `"v1"`)
	if got := etag.Evaluate(r, v2, true, false); got != etag.PreconditionFailed {
		t.Errorf("decision %d, want PreconditionFailed", got)
	}
}

func TestEvaluate_LinesOfAHeaderAreOneList(t *testing.T) {
	r := request("PATCH", "If-Match", `"v1"`, "If-Match", `"v2"`)
	if got := etag.Evaluate(r, v2, true, true); got != etag.Proceed {
		t.Errorf("decision %d, want Proceed: the second line has the version", got)
	}
}

func TestEvaluate_WhatDoesNotExistHasNoVersion(t *testing.T) {
	for _, tc := range []struct {
		method, header string
		want           etag.Decision
	}{
		{"PUT", "If-Match", etag.PreconditionFailed}, // somebody has deleted it
		{"PUT", "If-None-Match", etag.Proceed},       // create it, and replace nothing
		{"GET", "If-Match", etag.Proceed},            // the handler answers 404
		{"OPTIONS", "If-Match", etag.Proceed},
	} {
		if got := etag.Evaluate(request(tc.method, tc.header, "*"), etag.ETag{}, false, true); got != tc.want {
			t.Errorf("%s with %s: *: decision %d, want %d", tc.method, tc.header, got, tc.want)
		}
	}
}
