package strictdecode_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week04/strictdecode"
)

// Order is the body of a request. The README has it too.
type Order struct {
	Audit
	ID       int64             `json:"id"`
	Role     string            `json:"role"`
	Priority int8              `json:"priority"`
	Paid     bool              `json:"paid"`
	Note     *string           `json:"note"`
	Due      time.Time         `json:"due"`
	Ship     Address           `json:"ship"`
	Bill     *Address          `json:"bill"`
	Items    []Item            `json:"items"`
	Labels   map[string]string `json:"labels"`
	Meta     any               `json:"meta"`
	Raw      json.RawMessage   `json:"raw"`
	Internal string            `json:"-"`
}

type Audit struct {
	Source string `json:"source"`
}

type Address struct {
	City string `json:"city"`
	Zip  string `json:"zip"`
}

type Item struct {
	SKU   string  `json:"sku"`
	Qty   uint8   `json:"qty"`
	Price float64 `json:"price"`
	Tags  []string
}

var none strictdecode.Limits

func TestDecode_OK(t *testing.T) {
	const why = "A strict decoder that refuses an honest client is switched off within a week."

	wantValue(t, `{"id":7,"role":"user"}`, none, Order{ID: 7, Role: "user"}, why)
	wantValue(t, `{"note":null,"bill":null,"items":null,"labels":null,"meta":null,"raw":null}`, none,
		Order{Raw: json.RawMessage("null")}, "Null is how a client says that a pointer, a list or a map is empty.")
	wantValue(t, `{"\u0069d":7,"role":"a\u0022}{\\"}`, none, Order{ID: 7, Role: `a"}{\`}, why)
	wantValue(t, `{}`, none, Order{}, why)
	wantValue(t, `null`, none, (*Order)(nil), why)
	wantValue(t, `{"id":7}`, none, &Order{ID: 7}, why)
	wantValue(t, `[1,-2, 3]`, none, []int{1, -2, 3}, why)
	wantValue(t, `[]`, none, []int{}, why)
	wantValue(t, `[[{"sku":"A"}],null]`, none, [][]Item{{{SKU: "A"}}, nil}, why)
	wantValue(t, `{"a":null,"b":{"sku":"A"}}`, none, map[string]*Item{"a": nil, "b": {SKU: "A"}}, why)
	wantValue(t, `12`, none, 12, why)
	wantValue(t, `"x"`, none, "x", why)
	wantValue(t, `false`, none, false, why)
	wantValue(t, `[0.5,true,null,"x",{"a":[]}]`, none, any([]any{0.5, true, nil, "x", map[string]any{"a": []any{}}}), why)

	wantValue(t, `{
	"source": "web", "id": 9007199254740993, "role": "user", "priority": -128, "paid": true,
	"note": "ring twice", "due": "2026-04-01T09:30:00Z",
	"ship": {"city": "Köln", "zip": "50667"}, "bill": {"city": "Bonn"},
	"items": [{"sku": "A-1", "qty": 255, "price": 9.5e1, "Tags": ["x", ""]}, {}],
	"labels": {"a": "1", "A": "2", "": "3"},
	"meta": {"id": [1, null, {"id": true}]},
	"raw": {"b": [null]}
}`, none, Order{
		Audit: Audit{Source: "web"}, ID: 9007199254740993, Role: "user", Priority: -128, Paid: true,
		Note: new("ring twice"), Due: time.Date(2026, 4, 1, 9, 30, 0, 0, time.UTC),
		Ship: Address{City: "Köln", Zip: "50667"}, Bill: &Address{City: "Bonn"},
		Items:  []Item{{SKU: "A-1", Qty: 255, Price: 95, Tags: []string{"x", ""}}, {}},
		Labels: map[string]string{"a": "1", "A": "2", "": "3"},
		Meta:   map[string]any{"id": []any{1.0, nil, map[string]any{"id": true}}},
		Raw:    json.RawMessage(`{"b": [null]}`),
	}, why)
}

func TestDecode_TooLargeStopsReading(t *testing.T) {
	for _, tc := range []struct{ name, head, fill string }{
		{"a string", `{"role":"`, "x"},
		{"numbers", `[`, "1,"},
		{"not JSON", ``, "]"},
		{"space after the value", `{}`, " "},
		{"another value after the first", `{}`, "{}"},
	} {
		body := tc.head + strings.Repeat(tc.fill, 1<<18/len(tc.fill))
		r := &counter{r: strings.NewReader(body)}
		do := fmt.Sprintf("r := strings.NewReader(%q + strings.Repeat(%q, %d))\n_, err := Decode[any](r, Limits{Bytes: 64})",
			tc.head, tc.fill, 1<<18/len(tc.fill))

		_, err := strictdecode.Decode[any](r, strictdecode.Limits{Bytes: 64})

		if !errors.Is(err, strictdecode.ErrTooLarge) {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  text(err),
				Want: rule.Text("ErrTooLarge"),
				Why:  "The handler answers 413, and the client knows that its JSON was fine.",
			})
		}
		if r.n > 65 {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d bytes read", r.n),
				Want: rule.Text("at most 65 bytes read"),
				Why:  "Whoever reads on for as long as a client sends has no limit, and runs out of memory.",
			})
		}
	}
}

func TestDecode_ExactLimit(t *testing.T) {
	const why = "An off-by-one in a limit is found by the customer whose export is exactly 1 MiB."
	body := `{"role":"user"}`
	size := int64(len(body))
	wantValue(t, body, strictdecode.Limits{Bytes: size}, Order{Role: "user"}, why)
	wantValue(t, body, strictdecode.Limits{Bytes: size + 1}, Order{Role: "user"}, why)
	wantValue(t, body, strictdecode.Limits{Bytes: math.MaxInt64}, Order{Role: "user"}, why)
	wantError[Order](t, body, strictdecode.Limits{Bytes: size - 1}, strictdecode.ErrTooLarge, why)
	wantError[Order](t, body+" ", strictdecode.Limits{Bytes: size}, strictdecode.ErrTooLarge, why)

	wantValue(t, `7`, strictdecode.Limits{Bytes: 1}, 7, why)
	wantError[int](t, `7 `, strictdecode.Limits{Bytes: 1}, strictdecode.ErrTooLarge, why)

	full := `"` + strings.Repeat("x", 1<<20-2) + `"`
	for _, bytes := range []int64{0, math.MinInt64} {
		wantValue(t, full, strictdecode.Limits{Bytes: bytes}, full[1:len(full)-1], "Without a limit of its own a route has the default, 1 MiB.")
		wantError[string](t, full+" ", strictdecode.Limits{Bytes: bytes}, strictdecode.ErrTooLarge, "Without a limit of its own a route has the default, 1 MiB.")
	}
}

func TestDecode_Empty(t *testing.T) {
	for _, body := range []string{"", " ", "\r\n\t "} {
		wantError[Order](t, body, none, strictdecode.ErrEmpty, `"unexpected end of JSON input" sends people looking for a missing brace.`)
		wantError[*Order](t, body, none, strictdecode.ErrEmpty, "No body is not the same as null.")
	}
}

func TestDecode_ReadError(t *testing.T) {
	hungUp := errors.New("connection reset by peer")
	for _, head := range []string{"", `{"id":`, `{"id":1}`} {
		for _, cause := range []error{hungUp, io.ErrUnexpectedEOF} {
			got, err := strictdecode.Decode[Order](io.MultiReader(strings.NewReader(head), iotest.ErrReader(cause)), none)
			_, isProblem := errors.AsType[*strictdecode.Problem](err)
			if !errors.Is(err, cause) || isProblem || got.ID != 0 {
				rule.Broken(t, rule.Case{
					Do: fmt.Sprintf("r := io.MultiReader(strings.NewReader(%q), iotest.ErrReader(errors.New(%q)))\norder, err := Decode[Order](r, Limits{})",
						head, cause),
					Got:  rule.Textf("order.ID %d, %v", got.ID, text(err)),
					Want: rule.Textf("order.ID 0, and an error that wraps %q and is no Problem", cause),
					Why:  "A network that breaks is not the client's bad JSON, and half an order is no order.",
				})
			}
		}
	}
}

func TestDecode_Syntax(t *testing.T) {
	const why = "The message is all that a client sees of your parser."
	for _, tc := range []struct {
		body      string
		line, col int
	}{
		{`{"id":01}`, 1, 8},
		{`{"id":1,}`, 1, 9},
		{`{"id" 1}`, 1, 7},
		{`{'id':1}`, 1, 2},
		{`[1 2]`, 1, 4},
		{`tru`, 1, 4},
		{`{"paid":True}`, 1, 9},
		{`{"id":NaN}`, 1, 7},
		{`{"id":1`, 1, 8},
		{`{"role":"us`, 1, 12},
		{`{"role":"a` + "\n" + `b"}`, 1, 11},
		{"\ufeff{}", 1, 1},
		{"{\"id\":1,\n", 2, 1},
		{`]`, 1, 1},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Code: strictdecode.Syntax, Line: tc.line, Col: tc.col}, why)
	}
}

func TestDecode_TrailingValue(t *testing.T) {
	for _, tc := range []struct {
		body string
		col  int
	}{
		{`{"id":1}{"id":2}`, 9},
		{`{"id":1} {"id":2}`, 10},
		{`{"id":1}}`, 9},
		{`{"id":1} x`, 10},
		{`{"id":1},`, 9},
		{`{"id":1} null`, 10},
		{"{\"id\":1}\x00", 9},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Code: strictdecode.TrailingData, Line: 1, Col: tc.col},
			"A proxy that reads the second value and a service that reads the first one disagree about what was ordered.")
	}
}

func TestDecode_TrailingSpaceOK(t *testing.T) {
	for _, body := range []string{"{\"id\":7}\n", "{\"id\":7} \r\n\t\n", "\n\t {\"id\":7}"} {
		wantValue(t, body, none, Order{ID: 7}, "curl, editors and most encoders end a body with a line break.")
	}
}

func TestDecode_CaseVariantRejected(t *testing.T) {
	for _, tc := range []struct {
		body, path string
		col        int
	}{
		{`{"role":"user","ROLE":"admin"}`, "ROLE", 16},
		{`{"Role":"admin"}`, "Role", 2},
		{`{"items":[{"Sku":"A"}]}`, "items[0].Sku", 12},
		{`{"items":[{"ſku":"A"}]}`, "items[0].ſku", 12},
		{`{"\u0052ole":"admin"}`, "Role", 2},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Path: tc.path, Code: strictdecode.UnknownField, Line: 1, Col: tc.col},
			"encoding/json stores ROLE in a field named role. Whoever filters requests in front of you does not know that.")
	}
}

func TestDecode_UnknownNestedPath(t *testing.T) {
	for _, tc := range []struct {
		body, path string
		col        int
	}{
		{`{"items":[{},{},{"nme":1}]}`, "items[2].nme", 18},
		{`{"nme":1}`, "nme", 2},
		{`{"id":1,"":1}`, "", 9},
		{`{"ship":{"street":"x"}}`, "ship.street", 10},
		{`{"bill":{"street":{"a":[1]}}}`, "bill.street", 10},
		{`{"items":[{"tags":[]}]}`, "items[0].tags", 12},
		{`{"Internal":"x"}`, "Internal", 2},
		{`{"-":"x"}`, "-", 2},
		{`{"Audit":{"source":"x"}}`, "Audit", 2},
		{`{"meta":{"x":1},"raw":{"x":1},"labels":{"x":"1"},"x":1}`, "x", 50},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Path: tc.path, Code: strictdecode.UnknownField, Line: 1, Col: tc.col},
			"A misspelt field that is ignored is a setting that the client believes in.")
	}
	wantProblem[map[string][]Item](t, `{"a":[{"sku":"A"}],"b":[{},{"skuu":"B"}]}`, none,
		strictdecode.Problem{Path: "b[1].skuu", Code: strictdecode.UnknownField, Line: 1, Col: 29}, "Structs in maps count too.")
	wantProblem[map[string]Address](t, `{"a":{"x":1}}`, none,
		strictdecode.Problem{Path: "a.x", Code: strictdecode.UnknownField, Line: 1, Col: 7}, "A key of one letter is a key.")
	wantProblem[map[string]Address](t, `{"":{"x":1}}`, none,
		strictdecode.Problem{Path: ".x", Code: strictdecode.UnknownField, Line: 1, Col: 6}, "An empty key is a key: without its dot the path names another member.")
	wantProblem[[][]Item](t, `[[],[{},{"x":1}]]`, none,
		strictdecode.Problem{Path: "[1][1].x", Code: strictdecode.UnknownField, Line: 1, Col: 10}, "A path may begin with an index.")
}

func TestDecode_DuplicateKey(t *testing.T) {
	for _, tc := range []struct {
		body, path string
		col        int
	}{
		{`{"role":"user","role":"admin"}`, "role", 16},
		{`{"id":1,"id":1}`, "id", 9},
		{`{"id":1,"role":"x","\u0069d":2}`, "id", 20},
		{`{"items":[{},{"qty":1,"sku":"A","qty":2}]}`, "items[1].qty", 33},
		{`{"labels":{"a":"1","b":"2","a":"3"}}`, "labels.a", 28},
		{`{"labels":{"":"1","":"3"}}`, "labels.", 19},
		{`{"meta":{"a":{"b":1,"b":1}}}`, "meta.a.b", 21},
		{`{"meta":[[{"a":{},"a":1}]]}`, "meta[0][0].a", 19},
		{`{"raw":{"a":{"b":1,"b":1}}}`, "raw.a.b", 20},
		{`{"raw":[{"a":1,"\u0061":1}]}`, "raw[0].a", 16},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Path: tc.path, Code: strictdecode.DuplicateKey, Line: 1, Col: tc.col},
			"The gateway checks the first role, the service takes the last one: that is how people become admin.")
	}

	var wide strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&wide, "\"k%d\":%d,\n", i, i)
	}
	wantProblem[map[string]int](t, "{"+wide.String()+`"k500":1}`, none, strictdecode.Problem{Path: "k500", Code: strictdecode.DuplicateKey, Line: 1001, Col: 1},
		"Padding between two roles hides the second one.")
}

func TestDecode_NullForRequired(t *testing.T) {
	for _, tc := range []struct {
		body, path string
		col        int
	}{
		{`{"id":null}`, "id", 7},
		{`{"role": null}`, "role", 10},
		{`{"paid":null}`, "paid", 9},
		{`{"due":null}`, "due", 8},
		{`{"ship":null}`, "ship", 9},
		{`{"source":null}`, "source", 11},
		{`{"items":[{},null]}`, "items[1]", 14},
		{`{"items":[{"price":null}]}`, "items[0].price", 20},
		{`{"items":[{"Tags":["a",null]}]}`, "items[0].Tags[1]", 24},
		{`{"labels":{"a":null}}`, "labels.a", 16},
		{`null`, "", 1},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Path: tc.path, Code: strictdecode.Null, Line: 1, Col: tc.col},
			"encoding/json skips this null, and a zero that nobody sent goes into the database.")
	}
}

func TestDecode_TypeMismatchPath(t *testing.T) {
	for _, tc := range []struct {
		body, path string
		col        int
	}{
		{`{"id":"7"}`, "id", 7},
		{`{"role":7}`, "role", 9},
		{`{"paid":"true"}`, "paid", 9},
		{`{"paid":0}`, "paid", 9},
		{`{"note":{}}`, "note", 9},
		{`{"ship":[]}`, "ship", 9},
		{`{"ship":"Köln"}`, "ship", 9},
		{`{"bill":{"city":false}}`, "bill.city", 17},
		{`{"items":{}}`, "items", 10},
		{`{"items":[{"sku":"A"},{"sku":"B","qty":"2"}]}`, "items[1].qty", 40},
		{`{"items":[{"Tags":["a",{"b":1}]}]}`, "items[0].Tags[1]", 24},
		{`{"labels":{"b":"x","a":1}}`, "labels.a", 24},
		{`{"labels":[]}`, "labels", 11},
		{`{"meta":{"id":"x"},"raw":{"id":"x"},"id":"x"}`, "id", 42},
		{`[]`, "", 1},
		{`"x"`, "", 1},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Path: tc.path, Code: strictdecode.TypeMismatch, Line: 1, Col: tc.col},
			"With forty items in the body, \"cannot unmarshal string into Go struct field\" helps nobody.")
	}
}

func TestDecode_NumberOverflow(t *testing.T) {
	for _, tc := range []struct {
		body, path string
		col        int
	}{
		{`{"priority":128}`, "priority", 13},
		{`{"priority":-129}`, "priority", 13},
		{`{"id":9223372036854775808}`, "id", 7},
		{`{"id":1.5}`, "id", 7},
		{`{"id":1e2}`, "id", 7},
		{`{"items":[{"qty":255},{"qty":256}]}`, "items[1].qty", 30},
		{`{"items":[{"qty":-1}]}`, "items[0].qty", 18},
		{`{"items":[{"price":1e999}]}`, "items[0].price", 20},
		{`{"meta":[1,1e999]}`, "meta[1]", 12},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Path: tc.path, Code: strictdecode.OutOfRange, Line: 1, Col: tc.col},
			"A quantity of 256 that becomes 0 is a free order.")
	}
	wantValue(t, `{"raw":1e999}`, none, Order{Raw: json.RawMessage("1e999")}, "A raw message keeps what it got; its reader decides.")
}

func TestDecode_InvalidValue(t *testing.T) {
	for _, tc := range []struct {
		body, path string
		col        int
	}{
		{`{"due":"tomorrow"}`, "due", 8},
		{`{"id":1,"due":"2026-02-30T00:00:00Z"}`, "due", 15},
		{`{"due":7}`, "due", 8},
		{`{"due":{"y":2026}}`, "due", 8},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Path: tc.path, Code: strictdecode.InvalidValue, Line: 1, Col: tc.col},
			"time.Time does not say where it stood. You know.")
	}
	wantProblem[[]level](t, `["low","hi"]`, none, strictdecode.Problem{Path: "[1]", Code: strictdecode.InvalidValue, Line: 1, Col: 8},
		"A type with UnmarshalText is as good as one with UnmarshalJSON.")
	wantProblem[[]point](t, `[[1,2],[1,"x"]]`, none, strictdecode.Problem{Path: "[1]", Code: strictdecode.InvalidValue, Line: 1, Col: 8},
		"What a type with UnmarshalJSON reads is one value, whatever its error looks like.")
	wantValue(t, `["low",[1,2]]`, none, []any{"low", []any{1.0, 2.0}}, "Everything else passes.")
	wantValue(t, `["low"]`, none, []level{1}, "Everything else passes.")
	wantValue(t, `[[3,4]]`, none, []point{{3, 4}}, "Everything else passes.")
}

func TestDecode_TypeThatCannotBeFilled(t *testing.T) {
	type Hidden struct{ *hidden }
	got, err := strictdecode.Decode[Hidden](strings.NewReader(`{"city":"Bonn"}`), none)
	if err == nil || got.hidden != nil {
		rule.Broken(t, rule.Case{
			Do:   "type hidden struct{ City string `json:\"city\"` }\ntype Hidden struct{ *hidden }\n" + doDecode("Hidden", `{"city":"Bonn"}`, none),
			Got:  rule.Textf("%+v, %v", got, text(err)),
			Want: rule.Text("the zero Hidden and an error"),
			Why:  "encoding/json could not store the city. Without an error the order goes out without one.",
		})
	}
	type Plain struct{ hidden }
	if got, err := strictdecode.Decode[Plain](strings.NewReader(`{"city":"Bonn"}`), none); err != nil || got.City != "Bonn" {
		rule.Broken(t, rule.Case{
			Do:   "type hidden struct{ City string `json:\"city\"` }\ntype Plain struct{ hidden }\n" + doDecode("Plain", `{"city":"Bonn"}`, none),
			Got:  rule.Textf("%+v, %v", got, text(err)),
			Want: rule.Text("City Bonn, nil"),
			Why:  "Without the pointer the struct is there, and can be filled.",
		})
	}
}

func TestDecode_InvalidUTF8(t *testing.T) {
	for _, tc := range []struct {
		body, path string
		col        int
	}{
		{"{\"role\":\"a\xffb\"}", "role", 9},
		{"{\"note\":\"\xed\xa0\x80\"}", "note", 9},
		{"{\"items\":[{\"sku\":\"\xc0\xaf\"}]}", "items[0].sku", 18},
		{"{\"meta\":[1,\"\xe2\x82\"]}", "meta[1]", 12},
		{"{\"raw\":{\"a\":\"\xff\"}}", "raw.a", 13},
		{"{\"ship\":{\"zip\":\"1\",\"ci\xffty\":\"x\"}}", "ship", 20},
		{"{\"labels\":{\"\xff\":\"x\"}}", "labels", 12},
		{"{\"\xff\":\"x\"}", "", 2},
	} {
		wantProblem[Order](t, tc.body, none, strictdecode.Problem{Path: tc.path, Code: strictdecode.InvalidUTF8, Line: 1, Col: tc.col},
			"encoding/json replaces what it cannot read, and two different names become the same one.")
	}
}

func TestDecode_DepthBomb(t *testing.T) {
	const why = "A few kilobytes of brackets must not cost a deep recursion, in your code or in the next service."
	for _, n := range []int{33, 10_000, 200_000} {
		bomb := strings.Repeat("[", n) + strings.Repeat("]", n)
		wantProblem[any](t, bomb, none, strictdecode.Problem{Code: strictdecode.TooDeep, Line: 1, Col: 33}, why)
		wantProblem[Order](t, `{"meta":`+bomb+`}`, none, strictdecode.Problem{Code: strictdecode.TooDeep, Line: 1, Col: 40}, why)
	}
	objects := strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)
	wantProblem[json.RawMessage](t, objects, strictdecode.Limits{Depth: 3}, strictdecode.Problem{Code: strictdecode.TooDeep, Line: 1, Col: 16}, why)
	beyond := strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)
	wantProblem[any](t, beyond, strictdecode.Limits{Depth: math.MaxInt}, strictdecode.Problem{Code: strictdecode.TooDeep, Line: 1, Col: 10_001}, why)

	const wide = "Only brackets that are open count, and none in a string."
	wantValue(t, `[[1],[2],[[3]]]`, strictdecode.Limits{Depth: 3}, any([]any{[]any{1.0}, []any{2.0}, []any{[]any{3.0}}}), wide)
	wantValue(t, `["[[[[","\"[[[","\\",[]]`, strictdecode.Limits{Depth: 2}, any([]any{"[[[[", `"[[[`, `\`, []any{}}), wide)
	full := strings.Repeat("[", 32) + strings.Repeat("]", 32)
	wantValue(t, full, none, json.RawMessage(full), wide)
	wantValue(t, `7`, strictdecode.Limits{Depth: 1}, 7, wide)
	wantValue(t, `[]`, strictdecode.Limits{Depth: 1}, any([]any{}), wide)
	wantProblem[any](t, `[[]]`, strictdecode.Limits{Depth: 1}, strictdecode.Problem{Code: strictdecode.TooDeep, Line: 1, Col: 2}, wide)
	wantProblem[any](t, `["\\",[[]]]`, strictdecode.Limits{Depth: 2}, strictdecode.Problem{Code: strictdecode.TooDeep, Line: 1, Col: 8}, wide)
}

func TestDecode_LineCol(t *testing.T) {
	const why = "People open the body in an editor and go to the line and the column that you name."
	lines := "{\r\n  \"role\": \"Käufer\", \"id\": \"x\",\r\n\t\"nme\": 1\r\n}"
	wantProblem[Order](t, strings.Replace(lines, `"x"`, "1", 1), none, strictdecode.Problem{Path: "nme", Code: strictdecode.UnknownField, Line: 3, Col: 2}, why)
	wantProblem[Order](t, strings.Replace(lines, "nme", "note", 1), none, strictdecode.Problem{Path: "id", Code: strictdecode.TypeMismatch, Line: 2, Col: 27}, why)
	wantProblem[Order](t, "{\n\n \"labels\": {\"名前\": \"花子\", \"名前\": \"\"}}", none,
		strictdecode.Problem{Path: "labels.名前", Code: strictdecode.DuplicateKey, Line: 3, Col: 25}, why)
	wantProblem[Order](t, "{\n \"role\": \"日本\", \"note\"\n : nil}", none, strictdecode.Problem{Code: strictdecode.Syntax, Line: 3, Col: 5}, why)
	wantProblem[Order](t, "{}\n\n  ä", none, strictdecode.Problem{Code: strictdecode.TrailingData, Line: 3, Col: 3}, why)
	wantProblem[Order](t, "{\"role\":\n\"ä", none, strictdecode.Problem{Code: strictdecode.Syntax, Line: 2, Col: 3}, why)
}

func TestProblem_Error(t *testing.T) {
	for _, tc := range []struct {
		p    strictdecode.Problem
		want string
	}{
		{strictdecode.Problem{Path: "items[2].nme", Message: "unknown field", Line: 3, Col: 14}, "line 3, column 14: items[2].nme: unknown field"},
		{strictdecode.Problem{Message: "not valid JSON", Line: 1, Col: 1}, "line 1, column 1: not valid JSON"},
	} {
		if got := tc.p.Error(); got != tc.want {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("p := &Problem{Path: %q, Message: %q, Line: %d, Col: %d}\nfmt.Println(p)", tc.p.Path, tc.p.Message, tc.p.Line, tc.p.Col),
				Got:  rule.Text(tc.p.Error()),
				Want: rule.Text(tc.want),
				Why:  "This line goes to the log as it stands.",
			})
		}
	}
}

func TestDecode_AllocsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `{"sku":"A-%d","qty":%d,"price":9.5,"Tags":["new","sale"]},`, i, i)
	}
	body := `{"id":7,"role":"user","items":[` + strings.TrimSuffix(b.String(), ",") + `]}`
	if got, err := strictdecode.Decode[Order](strings.NewReader(body), none); err != nil || len(got.Items) != 100 {
		rule.Broken(t, rule.Case{Do: "Decode[Order](r, Limits{}) // an order with 100 items", Got: text(err), Want: nil})
	}
	allocs.Skip(t)

	plain := testing.AllocsPerRun(100, func() {
		var o Order
		_ = json.NewDecoder(strings.NewReader(body)).Decode(&o)
	})
	allocs.AtMost(t, int(2*plain), "Decode[Order](r, Limits{}) // an order with 100 items, against 2 times json.NewDecoder(r).Decode(&order)",
		func() { _, _ = strictdecode.Decode[Order](strings.NewReader(body), none) })
}

// corpus seeds FuzzDecode and TestDecode_Generated.
var corpus = []string{
	`{"source":"web","id":1,"role":"user","priority":1,"paid":true,"note":"n","due":"2026-04-01T09:30:00Z"}`,
	`{"ship":{"city":"Köln","zip":"1"},"bill":{"city":"Bonn","zip":"2"},"items":[{"sku":"A","qty":1,"price":0.5,"Tags":["x"]}]}`,
	`{"labels":{"a":"1","A":"2"},"meta":{"a":[1,null,{"b":true}]},"raw":{"a":[{"a":1}]}}`,
	`{"role":"user","ROLE":"admin"}`,
	`{"id":1,"\u0069d":2}`,
	`{"items":[{},{},{"nme":1}]}`,
	`{"items":[{"qty":256},null]}`,
	`{"note":null,"bill":null,"items":null,"labels":null,"meta":null}`,
	`{"role":"\ud800\"\\"}`,
	"{\"role\":\"\xff\"}\n",
	`{"a":{"b":{"c":[[[[1]]]]}}} {}`,
	`[[[[]]],[],{"":{}}]`,
	` -0.5e+10 `,
	`"ab`,
	``,
}

func FuzzDecode(f *testing.F) {
	for _, body := range corpus {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) { checkBody(t, body) })
}

func TestDecode_Generated(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	for range 10_000 {
		body := []byte(corpus[rng.IntN(len(corpus))])
		for range 1 + rng.IntN(3) {
			body = mutate(rng, body)
		}
		checkBody(t, body)
	}
}

// mutate returns body with one change: a token put in, a part cut out, doubled
// or taken from another body.
func mutate(rng *rand.Rand, body []byte) []byte {
	tokens := []string{"{", "}", "[", "]", `"`, ",", ":", `\`, "0", "-", "1e999", "null", "true", `"id":1,`, `"ID":1,`, `"a":{},`, " ", "\n", "\xff", "ä", "[[]]"}
	at := rng.IntN(len(body) + 1)
	end := at + rng.IntN(min(12, len(body)-at)+1)
	switch rng.IntN(5) {
	case 0, 1:
		return slices.Concat(body[:at], []byte(tokens[rng.IntN(len(tokens))]), body[at:])
	case 2:
		return slices.Concat(body[:at], body[end:])
	case 3:
		return slices.Concat(body[:end], body[at:end], body[end:])
	default:
		other := corpus[rng.IntN(len(corpus))]
		return slices.Concat(body[:at], []byte(other[rng.IntN(len(other)+1):]))
	}
}

// checkBody compares Decode with encoding/json, whose leniency is added up by
// hand, and checks that every problem is where it is said to be.
func checkBody(t *testing.T, body []byte) {
	t.Helper()
	lim := strictdecode.Limits{Bytes: 1 << 10, Depth: 4}

	any1, err := strictdecode.Decode[any](bytes.NewReader(body), lim)
	checkError(t, "any", body, err)
	var want any
	lenient := json.Unmarshal(body, &want)
	reason := faultOf(body, lim.Depth)
	switch {
	case int64(len(body)) > lim.Bytes:
		reason = "body too large"
	case lenient != nil:
		reason = lenient.Error()
	}
	if (err == nil) != (reason == "") || err == nil && !cmp.Equal(any1, want) {
		wanted := rule.Textf("%v, nil", want)
		if reason != "" {
			wanted = rule.Textf("an error: %s", reason)
		}
		rule.Broken(t, rule.Case{
			Do:   doDecode("any", string(body), lim),
			Got:  rule.Textf("%v, %v", any1, text(err)),
			Want: wanted,
			Why:  "Every body counts, also the strange ones.",
		})
	}

	order, err := strictdecode.Decode[Order](bytes.NewReader(body), lim)
	checkError(t, "Order", body, err)
	if err != nil {
		if !cmp.Equal(order, Order{}) {
			rule.Broken(t, rule.Case{Do: doDecode("Order", string(body), lim), Got: rule.Textf("%+v, %v", order, err), Want: rule.Text("the zero Order with the error"), Why: "Somebody will use half a request."})
		}
		return
	}
	var wantOrder Order
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	lenient = dec.Decode(&wantOrder)
	if lenient != nil || reason != "" || !cmp.Equal(order, wantOrder) {
		rule.Broken(t, rule.Case{
			Do:   doDecode("Order", string(body), lim),
			Got:  rule.Textf("%+v, nil", order),
			Want: rule.Textf("%+v, %v %s", wantOrder, text(lenient), reason),
			Why:  "A strict decoder accepts less than encoding/json, and never something else.",
		})
	}
}

// checkError checks that err is one of those that Decode may return.
func checkError(t *testing.T, typ string, body []byte, err error) {
	t.Helper()
	want := rule.Text("")
	p, isProblem := errors.AsType[*strictdecode.Problem](err)
	switch {
	case err == nil:
	case len(body) > 1<<10:
		if !errors.Is(err, strictdecode.ErrTooLarge) {
			want = "ErrTooLarge"
		}
	case len(bytes.Trim(body, " \t\r\n")) == 0:
		if !errors.Is(err, strictdecode.ErrEmpty) {
			want = "ErrEmpty"
		}
	case !isProblem:
		want = "a *Problem"
	case !slices.Contains(codes, p.Code):
		want = "one of the codes"
	case p.Line < 1 || p.Line > bytes.Count(body, []byte("\n"))+1:
		want = "a line of the body"
	case p.Col < 1 || p.Col > utf8.RuneCount(bytes.Split(body, []byte("\n"))[p.Line-1])+1:
		want = "a column of the line"
	}
	if want != "" {
		rule.Broken(t, rule.Case{
			Do: doDecode(typ, string(body), strictdecode.Limits{Bytes: 1 << 10, Depth: 4}), Got: text(err), Want: want,
			Why: "A handler turns these errors into 400 and 413. Anything else becomes a 500.",
		})
	}
}

var codes = []string{
	strictdecode.Syntax, strictdecode.TrailingData, strictdecode.TooDeep, strictdecode.InvalidUTF8, strictdecode.DuplicateKey,
	strictdecode.UnknownField, strictdecode.Null, strictdecode.TypeMismatch, strictdecode.OutOfRange, strictdecode.InvalidValue,
}

// faultOf returns what is wrong with body although encoding/json accepts it.
func faultOf(body []byte, maxDepth int) string {
	if !utf8.Valid(body) {
		return "invalid UTF-8"
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	type level struct {
		keys  map[string]bool // nil for an array
		isKey bool            // the next token is a key
	}
	var open []level
	for {
		tok, err := dec.Token()
		if err != nil {
			return "" // the end, or a syntax error, which encoding/json reports too
		}
		switch top := len(open) - 1; {
		case tok == json.Delim('}') || tok == json.Delim(']'):
			open = open[:top]
			continue
		case top >= 0 && open[top].isKey:
			key := tok.(string)
			if open[top].keys[key] {
				return fmt.Sprintf("duplicate key %q", key)
			}
			open[top].keys[key], open[top].isKey = true, false
			continue
		case top >= 0:
			open[top].isKey = open[top].keys != nil
		}
		switch tok {
		case json.Delim('{'):
			open = append(open, level{keys: make(map[string]bool), isKey: true})
		case json.Delim('['):
			open = append(open, level{})
		}
		if len(open) > maxDepth {
			return "too deep"
		}
	}
}

// level decodes itself from a text.
type level int

func (l *level) UnmarshalText(text []byte) error {
	if string(text) != "low" {
		return fmt.Errorf("unknown level %q", text)
	}
	*l = 1
	return nil
}

// hidden is a struct that encoding/json cannot make by itself.
type hidden struct {
	City string `json:"city"`
}

// point decodes itself from an array of two numbers.
type point struct{ X, Y int }

func (p *point) UnmarshalJSON(data []byte) error {
	var xy [2]int
	err := json.Unmarshal(data, &xy)
	p.X, p.Y = xy[0], xy[1]
	return err
}

// counter counts the bytes that were read from r.
type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func wantValue[T any](t *testing.T, body string, lim strictdecode.Limits, want T, why string) {
	t.Helper()
	got, err := strictdecode.Decode[T](strings.NewReader(body), lim)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		rule.Broken(t, rule.Case{
			Do:   doDecode(typeName[T](), body, lim),
			Got:  rule.Textf("%s, %v", inJSON(got), text(err)),
			Want: rule.Textf("%s, nil", inJSON(want)),
			Why:  why,
		})
	}
}

func wantError[T any](t *testing.T, body string, lim strictdecode.Limits, want error, why string) {
	t.Helper()
	if _, err := strictdecode.Decode[T](strings.NewReader(body), lim); !errors.Is(err, want) {
		rule.Broken(t, rule.Case{Do: doDecode(typeName[T](), body, lim), Got: text(err), Want: want, Why: why})
	}
}

func wantProblem[T any](t *testing.T, body string, lim strictdecode.Limits, want strictdecode.Problem, why string) {
	t.Helper()
	got, err := strictdecode.Decode[T](strings.NewReader(body), lim)
	p, ok := errors.AsType[*strictdecode.Problem](err)
	if !ok {
		rule.Broken(t, rule.Case{Do: doDecode(typeName[T](), body, lim), Got: noProblem(got, err), Want: show(want), Why: why})
	}
	if p.Path != want.Path || p.Code != want.Code || p.Line != want.Line || p.Col != want.Col {
		rule.Broken(t, rule.Case{Do: doDecode(typeName[T](), body, lim), Got: show(*p), Want: show(want), Why: why})
	}
	var zero T
	if !reflect.DeepEqual(zero, got) {
		rule.Broken(t, rule.Case{
			Do: doDecode(typeName[T](), body, lim), Got: inJSON(got), Want: rule.Text("the zero value beside the error"),
			Why: "Somebody will use half a request.",
		})
	}
	for _, leak := range []string{"json:", "Go ", "unmarshal", "strictdecode"} {
		if strings.Contains(p.Message, leak) || p.Message == "" {
			rule.Broken(t, rule.Case{
				Do: doDecode(typeName[T](), body, lim) + "\n// err.Message", Got: p.Message, Want: rule.Text("a message for the client, without Go types and package names"),
				Why: "The client reads the message. What your types are called is not its business.",
			})
		}
	}
}

func doDecode(typ, body string, lim strictdecode.Limits) string {
	quoted := fmt.Sprintf("%q", body)
	if !strings.ContainsAny(body, "`\r\x00\ufeff") && utf8.ValidString(body) {
		quoted = "`" + body + "`"
	}
	limits := "Limits{}"
	if lim != none {
		limits = fmt.Sprintf("Limits{Bytes: %d, Depth: %d}", lim.Bytes, lim.Depth)
	}
	return fmt.Sprintf("v, err := Decode[%s](strings.NewReader(%s), %s)", typ, shorten(quoted), limits)
}

func typeName[T any]() string {
	return strings.NewReplacer("strictdecode_test.", "", "interface {}", "any").Replace(reflect.TypeFor[T]().String())
}

func show(p strictdecode.Problem) rule.Text {
	return rule.Textf("a *Problem with Path %q, Code %q, Line %d, Col %d", p.Path, p.Code, p.Line, p.Col)
}

// inJSON shows v. What v points to is more use than the pointer.
func inJSON(v any) rule.Text {
	b, err := json.Marshal(v)
	if err != nil {
		return rule.Textf("%+v", v)
	}
	return rule.Text(shorten(string(b)))
}

var zeroMember = regexp.MustCompile(`"\w+":(?:""|0|false|null|\{\}|"0001-01-01T00:00:00Z"),?`)

// noProblem shows what came in place of a Problem, without members that are zero.
func noProblem(v any, err error) rule.Text {
	shown := string(inJSON(v))
	for range 2 { // an object may become empty
		shown = zeroMember.ReplaceAllString(shown, "")
	}
	shown = strings.ReplaceAll(shown, ",}", "}")
	if err == nil {
		return rule.Text("no error, and v is " + shown)
	}
	return rule.Textf("%s, and v is %s", text(err), shown)
}

func shorten(s string) string {
	if len(s) <= 600 {
		return s
	}
	return fmt.Sprintf("%s ... (%d bytes) ... %s", s[:80], len(s), s[len(s)-80:])
}

// text shows err without the quotes of package rule, also for nil.
func text(err error) rule.Text {
	if err == nil {
		return "nil"
	}
	return rule.Text(err.Error())
}
