//course:since m04a

package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/tasktracker/web/strictjson"
)

type order struct {
	audit
	ID     string          `json:"id"`
	Rush   *bool           `json:"rush"`
	Due    time.Time       `json:"due"`
	Items  []item          `json:"items"`
	Extra  map[string]any  `json:"extra"`
	Raw    json.RawMessage `json:"raw"`
	Secret string          `json:"-"`
}

// audit is embedded: its fields are those of the order, except ID, which the order
// has itself.
type audit struct {
	Source string
	ID     int `json:"id"`
}

type item struct {
	SKU   string `json:"sku"`
	Count uint8  `json:"count"`
}

func decode(body string) (order, error) {
	return strictjson.Decode[order](strings.NewReader(body), strictjson.Limits{Bytes: 256, Depth: 4})
}

func TestDecode_FillsTheStruct(t *testing.T) {
	got, err := decode(` {
		"id": "\u0031\"[[[[[", "rush": null, "due": "2027-01-01T00:00:00Z", "Source": "shop",
		"items": [{"sku": "a", "count": 255}, {}], "extra": {"a": [1, null]}, "raw": {"b": {}}
	} ` + "\n")
	want := order{
		audit: audit{Source: "shop"}, ID: `1"[[[[[`, Due: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Items: []item{{"a", 255}, {}}, Extra: map[string]any{"a": []any{1.0, nil}}, Raw: json.RawMessage(`{"b": {}}`),
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(order{})); diff != "" || err != nil {
		t.Errorf("Decode = %v, order (-want +got):\n%s", err, diff)
	}
}

func TestDecode_SaysWhatIsWrongAndWhere(t *testing.T) {
	for body, want := range map[string]strictjson.Problem{
		`{"id":`:                              {Code: strictjson.Syntax, Line: 1, Col: 7},
		`{"id": 'a'}`:                         {Code: strictjson.Syntax, Line: 1, Col: 8},
		`{} {}`:                               {Code: strictjson.TrailingData, Line: 1, Col: 4},
		`{"extra": {"a": [[[]]]}}`:            {Code: strictjson.TooDeep, Line: 1, Col: 19},
		"{\"id\": \"\xff\"}":                  {Code: strictjson.InvalidUTF8, Path: "id", Line: 1, Col: 8},
		"{\"extra\": {\"\xff\": 1}}":          {Code: strictjson.InvalidUTF8, Path: "extra", Line: 1, Col: 12},
		`{"id": "a", "\u0069d": "b"}`:         {Code: strictjson.DuplicateKey, Path: "id", Line: 1, Col: 13},
		`{"raw": {"a": 1, "a": 2}}`:           {Code: strictjson.DuplicateKey, Path: "raw.a", Line: 1, Col: 18},
		"{\n  \"id\": \"é\", \"nme\": 1\n}":   {Code: strictjson.UnknownField, Path: "nme", Line: 2, Col: 14},
		`{"ID": "a"}`:                         {Code: strictjson.UnknownField, Path: "ID", Line: 1, Col: 2},
		`{"Secret": "a"}`:                     {Code: strictjson.UnknownField, Path: "Secret", Line: 1, Col: 2},
		`{"-": "a"}`:                          {Code: strictjson.UnknownField, Path: "-", Line: 1, Col: 2},
		`null`:                                {Code: strictjson.Null, Line: 1, Col: 1},
		`{"items": [{}, {"sku": null}]}`:      {Code: strictjson.Null, Path: "items[1].sku", Line: 1, Col: 24},
		`{"items": {}}`:                       {Code: strictjson.TypeMismatch, Path: "items", Line: 1, Col: 11},
		`{"items": [[]]}`:                     {Code: strictjson.TypeMismatch, Path: "items[0]", Line: 1, Col: 12},
		`{"id": 7}`:                           {Code: strictjson.TypeMismatch, Path: "id", Line: 1, Col: 8},
		`{"items": [{"count": 1.5}]}`:         {Code: strictjson.OutOfRange, Path: "items[0].count", Line: 1, Col: 22},
		`{"items": [{"count": 256}]}`:         {Code: strictjson.OutOfRange, Path: "items[0].count", Line: 1, Col: 22},
		`{"due": "tomorrow"}`:                 {Code: strictjson.InvalidValue, Path: "due", Line: 1, Col: 9},
		`{"due": {"year": 2027}}`:             {Code: strictjson.InvalidValue, Path: "due", Line: 1, Col: 9},
		`{"rush": "\"}]"}`:                    {Code: strictjson.TypeMismatch, Path: "rush", Line: 1, Col: 10},
		`{"items": [{"count": 1, "sku": 1}]}`: {Code: strictjson.TypeMismatch, Path: "items[0].sku", Line: 1, Col: 32},
	} {
		got, err := decode(body)
		p, ok := errors.AsType[*strictjson.Problem](err)
		if !ok {
			t.Errorf("Decode(%s) = %v, want %s", body, err, want.Code)
			continue
		}
		if diff := cmp.Diff(want, *p, cmpopts.IgnoreFields(want, "Message")); diff != "" {
			t.Errorf("Decode(%s) (-want +got):\n%s", body, diff)
		}
		if p.Message == "" || strings.Contains(p.Message, "Go") || strings.Contains(p.Message, "strictjson") {
			t.Errorf("Decode(%s): message %q", body, p.Message)
		}
		if !cmp.Equal(got, order{}, cmp.AllowUnexported(order{})) {
			t.Errorf("Decode(%s) returns half an order: %+v", body, got)
		}
	}
}

func TestDecode_ReadsNoMoreThanItMay(t *testing.T) {
	limits := strictjson.Limits{Bytes: 8}
	if got, err := strictjson.Decode[string](strings.NewReader(`"123456"`), limits); got != "123456" || err != nil {
		t.Errorf("Decode of exactly 8 bytes = %q, %v", got, err)
	}
	body := strings.NewReader(`"1234567"` + strings.Repeat(" ", 100))
	if _, err := strictjson.Decode[string](body, limits); !errors.Is(err, strictjson.ErrTooLarge) {
		t.Errorf("Decode of more = %v, want ErrTooLarge", err)
	}
	if taken := int(body.Size()) - body.Len(); taken > 9 {
		t.Errorf("Decode has taken %d bytes, want 9 at most", taken)
	}
}

func TestDecode_TheDefaultsAreLimitsToo(t *testing.T) {
	for body, want := range map[string]bool{
		strings.Repeat("[", 32) + strings.Repeat("]", 32): true,
		strings.Repeat("[", 33) + strings.Repeat("]", 33): false,
		`"` + strings.Repeat("a", 1<<20-2) + `"`:          true,
		`"` + strings.Repeat("a", 1<<20-1) + `"`:          false,
	} {
		if _, err := strictjson.Decode[any](strings.NewReader(body), strictjson.Limits{}); want != (err == nil) {
			t.Errorf("Decode of %d bytes %.5s... = %v, want accepted: %v", len(body), body, err, want)
		}
	}
}

func TestDecode_NothingIsNotABody(t *testing.T) {
	for _, body := range []string{"", " \r\n\t"} {
		if _, err := decode(body); !errors.Is(err, strictjson.ErrEmpty) {
			t.Errorf("Decode(%q) = %v, want ErrEmpty", body, err)
		}
	}
}

func TestDecode_ABrokenConnectionIsNotTheClientsJSON(t *testing.T) {
	cut := io.MultiReader(strings.NewReader(`{"id": `), iotest.ErrReader(io.ErrUnexpectedEOF))
	_, err := strictjson.Decode[order](cut, strictjson.Limits{})
	if _, ok := errors.AsType[*strictjson.Problem](err); ok || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Decode = %v, want the error of the reader", err)
	}
}

func TestProblem_ErrorHasThePlaceFirst(t *testing.T) {
	p := &strictjson.Problem{Path: "items[2].nme", Message: "unknown field", Line: 3, Col: 14}
	if got, want := p.Error(), "line 3, column 14: items[2].nme: unknown field"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	p.Path = ""
	if got, want := p.Error(), "line 3, column 14: unknown field"; got != want {
		t.Errorf("Error() without a path = %q, want %q", got, want)
	}
}

// What Decode accepts, package json reads in the same way. What it refuses has a
// place inside the body.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","items":[{"sku":"b","count":1}],"extra":{"":null},"raw":[]}`,
		`{"rush":true,"due":"2027-01-01T00:00:00Z"}`,
		`{"id":"\ud800"}`, "{\"id\":\"\xff\"}", `{"raw":"\\"}`, `[[`, `{"id":"a"}}`, `1e999`, `nul`, `"`, "\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := strictjson.Decode[order](bytes.NewReader(body), strictjson.Limits{})
		if p, ok := errors.AsType[*strictjson.Problem](err); ok && (p.Line < 1 || p.Col < 1 || p.Line+p.Col > len(body)+2) {
			t.Errorf("the problem of %q is at %d:%d", body, p.Line, p.Col)
		}
		if err != nil {
			return
		}
		var want order
		if err := json.Unmarshal(body, &want); err != nil || !cmp.Equal(want, got, cmp.AllowUnexported(order{})) {
			t.Errorf("Decode(%s) = %+v, json.Unmarshal = %+v, %v", body, got, want, err)
		}
	})
}
