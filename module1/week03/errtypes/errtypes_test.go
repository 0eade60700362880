package errtypes_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/allocs"
	"github.com/middle-go/course/grader/labkit/rule"

	// With the dot, a table has the same code twice: to run and to paste.
	. "github.com/middle-go/course/module1/week03/errtypes"
)

var errDuplicate = errors.New("duplicate key")

func TestE_NilStaysNil(t *testing.T) {
	for _, tc := range []struct {
		do  string
		err error
	}{
		{`err := E("repo.Insert", Unavailable, nil)`, E("repo.Insert", Unavailable, nil)},
		{`err := WithPublic(nil, "Try again later")`, WithPublic(nil, "Try again later")},
		{`err := WithPublic(E("repo.Insert", Unavailable, nil), "Try again later")`, WithPublic(E("repo.Insert", Unavailable, nil), "Try again later")},
	} {
		if tc.err != nil {
			rule.Broken(t, rule.Case{
				Do:   tc.do + "\nfmt.Println(err == nil)",
				Got:  rule.Textf("false, err holds a %T", tc.err),
				Want: true,
				Why:  `Half of all calls are "return E(op, kind, err)" after a success: each of them would be answered with a 500.`,
			})
		}
	}
	if err := WithPublic(errDuplicate, ""); err != errDuplicate {
		rule.Broken(t, rule.Case{
			Do:   `fmt.Println(WithPublic(ErrDuplicate, "") == ErrDuplicate)`,
			Got:  rule.Textf("false, WithPublic returned a %T", err),
			Want: true,
			Why:  "Without a message there is nothing to add. A wrapper that says nothing is one more layer to look through.",
		})
	}
	if err := E("repo.Insert", Unavailable, errDuplicate); err == nil {
		rule.Broken(t, rule.Case{
			Do:   `err := E("repo.Insert", Unavailable, errors.New("duplicate key"))`,
			Got:  nil,
			Want: rule.Text("an error"),
			Why:  "A lost error is a lost task.",
		})
	}
}

func TestErrorString_OpChain(t *testing.T) {
	for _, tc := range []struct {
		do   string
		err  error
		want string
	}{
		{
			`E("app.Create", Conflict, E("repo.Insert", Internal, io.ErrUnexpectedEOF))`,
			E("app.Create", Conflict, E("repo.Insert", Internal, io.ErrUnexpectedEOF)),
			"app.Create: repo.Insert: unexpected EOF",
		},
		{
			`E("app.Create", Conflict, fmt.Errorf("task %d: %w", 7, E("repo.Insert", Internal, io.EOF)))`,
			E("app.Create", Conflict, fmt.Errorf("task %d: %w", 7, E("repo.Insert", Internal, io.EOF))),
			"app.Create: task 7: repo.Insert: EOF",
		},
		{`E("", NotFound, io.EOF)`, E("", NotFound, io.EOF), "EOF"},
		{
			`WithPublic(E("repo.Get", NotFound, io.EOF), "No such task")`,
			WithPublic(E("repo.Get", NotFound, io.EOF), "No such task"),
			"repo.Get: EOF",
		},
		{`&Error{Op: "repo.Get", Kind: NotFound}`, &Error{Op: "repo.Get", Kind: NotFound}, "repo.Get: not found"},
		{`&Error{Kind: NotFound, Public: "No such task"}`, &Error{Kind: NotFound, Public: "No such task"}, "not found"},
		{`&Error{}`, &Error{}, "internal error"},
		{
			`E("api.Create", Internal, &ValidationError{Fields: []FieldError{
	{Field: "title", Code: "required", Message: "must not be empty"},
	{Field: "due", Code: "date", Message: "must be a date"},
}})`,
			E("api.Create", Internal, &ValidationError{Fields: []FieldError{
				{Field: "title", Code: "required", Message: "must not be empty"},
				{Field: "due", Code: "date", Message: "must be a date"},
			}}),
			"api.Create: invalid request: title: must not be empty; due: must be a date",
		},
		{`&ValidationError{}`, &ValidationError{}, "invalid request"},
	} {
		if got := text(tc.err); got != tc.want {
			rule.Broken(t, rule.Case{
				Do:   "err := " + tc.do + "\nfmt.Println(err)",
				Got:  rule.Text(got),
				Want: rule.Text(tc.want),
				Why:  "The log has this one line. Read from left to right it leads from the request to the cause.",
			})
		}
	}
}

func TestIs_SentinelThroughTwoWraps(t *testing.T) {
	for _, tc := range []struct {
		do  string
		err error
	}{
		{`E("app.Create", Conflict, E("repo.Insert", Internal, ErrDuplicate))`, E("app.Create", Conflict, E("repo.Insert", Internal, errDuplicate))},
		{`E("app.Create", Conflict, fmt.Errorf("task 7: %w", ErrDuplicate))`, E("app.Create", Conflict, fmt.Errorf("task 7: %w", errDuplicate))},
		{`WithPublic(E("repo.Insert", Conflict, ErrDuplicate), "The title is taken")`, WithPublic(E("repo.Insert", Conflict, errDuplicate), "The title is taken")},
		{`E("app.Create", Conflict, WithPublic(ErrDuplicate, "The title is taken"))`, E("app.Create", Conflict, WithPublic(errDuplicate, "The title is taken"))},
		{`WithPublic(E("repo.Insert", Conflict, ErrDuplicate), "")`, WithPublic(E("repo.Insert", Conflict, errDuplicate), "")},
	} {
		if !errors.Is(tc.err, errDuplicate) {
			rule.Broken(t, rule.Case{
				Do:   "err := " + tc.do + "\nfmt.Println(errors.Is(err, ErrDuplicate))",
				Got:  false,
				Want: true,
				Why:  "A caller three layers up decides by the sentinel. A chain that keeps only texts makes it guess.",
			})
		}
	}
}

func TestIs_ByKindTarget(t *testing.T) {
	get := E("repo.Get", NotFound, io.EOF)
	for _, tc := range []struct {
		err    string
		target string
		got    bool
		want   bool
	}{
		{`E("repo.Get", NotFound, io.EOF)`, `&Error{Kind: NotFound}`, errors.Is(get, &Error{Kind: NotFound}), true},
		{`E("repo.Get", NotFound, io.EOF)`, `&Error{Kind: Forbidden}`, errors.Is(get, &Error{Kind: Forbidden}), false},
		{`fmt.Errorf("task 7: %w", E("repo.Get", NotFound, io.EOF))`, `&Error{Kind: NotFound}`, errors.Is(fmt.Errorf("task 7: %w", get), &Error{Kind: NotFound}), true},
		{`E("app.Move", Conflict, E("repo.Get", NotFound, io.EOF))`, `&Error{Kind: NotFound}`, errors.Is(E("app.Move", Conflict, get), &Error{Kind: NotFound}), true},
		{`errors.Join(io.EOF, E("repo.Get", NotFound, io.EOF))`, `&Error{Kind: NotFound}`, errors.Is(errors.Join(io.EOF, get), &Error{Kind: NotFound}), true},
		{`E("repo.Get", Internal, io.EOF)`, `&Error{}`, errors.Is(E("repo.Get", Internal, io.EOF), &Error{}), false},
		{`E("repo.Get", NotFound, io.EOF)`, `&Error{}`, errors.Is(get, &Error{}), false},
		{`E("repo.Get", NotFound, io.EOF)`, `&Error{Op: "repo.Get", Kind: NotFound}`, errors.Is(get, &Error{Op: "repo.Get", Kind: NotFound}), false},
		{`&Error{Kind: NotFound, Public: "No such task"}`, `&Error{Kind: NotFound, Public: "No such task"}`, errors.Is(&Error{Kind: NotFound, Public: "No such task"}, &Error{Kind: NotFound, Public: "No such task"}), false},
		{`E("repo.Get", NotFound, io.EOF)`, `&Error{Kind: NotFound, Err: io.EOF}`, errors.Is(get, &Error{Kind: NotFound, Err: io.EOF}), false},
		{`E("repo.Get", Internal, context.DeadlineExceeded)`, `&Error{Kind: Timeout}`, errors.Is(E("repo.Get", Internal, context.DeadlineExceeded), &Error{Kind: Timeout}), false},
	} {
		if tc.got != tc.want {
			rule.Broken(t, rule.Case{
				Do:   "err := " + tc.err + "\nfmt.Println(errors.Is(err, " + tc.target + "))",
				Got:  tc.got,
				Want: tc.want,
				Why:  "The target is a question about the Kind field of each error in the tree, and about nothing else.",
			})
		}
	}

	if e := (&Error{Op: "app.Move", Kind: Conflict, Err: get}); e.Is(&Error{Kind: NotFound}) {
		rule.Broken(t, rule.Case{
			Do:   `e := &Error{Kind: Conflict, Err: E("repo.Get", NotFound, io.EOF)}` + "\nfmt.Println(e.Is(&Error{Kind: NotFound}))",
			Got:  true,
			Want: false,
			Why:  "errors.Is walks the tree. A method Is that walks too answers for errors that are not its own.",
		})
	}
}

func TestAsType_Through_Join(t *testing.T) {
	invalid := &ValidationError{Fields: []FieldError{{Field: "title", Code: "required", Message: "must not be empty"}}}
	err := fmt.Errorf("import: %w", errors.Join(io.EOF, E("api.Create", Invalid, fmt.Errorf("row 3: %w", invalid))))
	const do = `err := fmt.Errorf("import: %w", errors.Join(io.EOF, E("api.Create", Invalid, fmt.Errorf("row 3: %w", &ValidationError{Fields: fields}))))` + "\n"

	if e, ok := errors.AsType[*Error](err); !ok || e.Op != "api.Create" || e.Kind != Invalid {
		rule.Broken(t, rule.Case{
			Do:   do + "e, ok := errors.AsType[*Error](err)",
			Got:  rule.Textf("%+v, %v", e, ok),
			Want: rule.Text(`an *Error with Op "api.Create" and Kind Invalid, true`),
			Why:  "The border reads op and kind for its metrics. A value of another type hides them.",
		})
	}
	if v, ok := errors.AsType[*ValidationError](err); v != invalid {
		rule.Broken(t, rule.Case{
			Do:   do + "v, ok := errors.AsType[*ValidationError](err)",
			Got:  rule.Textf("%+v, %v", v, ok),
			Want: rule.Text("the *ValidationError, true"),
			Why:  "Typed details are worth nothing to a caller who cannot reach them.",
		})
	}
}

func TestKindOf_OutermostExplicit(t *testing.T) {
	for _, tc := range []kindCase{
		{`E("app.Get", Forbidden, E("repo.Get", NotFound, io.EOF))`, E("app.Get", Forbidden, E("repo.Get", NotFound, io.EOF)), Forbidden},
		{`fmt.Errorf("task 7: %w", E("app.Get", NotFound, E("repo.Get", Forbidden, io.EOF)))`, fmt.Errorf("task 7: %w", E("app.Get", NotFound, E("repo.Get", Forbidden, io.EOF))), NotFound},
		{`E("app.Get", Internal, E("repo.Get", NotFound, io.EOF))`, E("app.Get", Internal, E("repo.Get", NotFound, io.EOF)), NotFound},
		{`WithPublic(E("repo.Get", NotFound, io.EOF), "No such task")`, WithPublic(E("repo.Get", NotFound, io.EOF), "No such task"), NotFound},
		{`E("app.Create", Conflict, &ValidationError{})`, E("app.Create", Conflict, &ValidationError{}), Conflict},
		{`E("app.Create", Internal, &ValidationError{})`, E("app.Create", Internal, &ValidationError{}), Invalid},
		{`E("app.Get", Unavailable, context.DeadlineExceeded)`, E("app.Get", Unavailable, context.DeadlineExceeded), Unavailable},
		{`E("app.Get", NotFound, errors.Join(E("a", Conflict, io.EOF), io.EOF))`, E("app.Get", NotFound, errors.Join(E("a", Conflict, io.EOF), io.EOF)), NotFound},
		{`&Error{Kind: Conflict}`, &Error{Kind: Conflict}, Conflict},
		{`E("app.Get", Internal, io.EOF)`, E("app.Get", Internal, io.EOF), Internal},
		{`io.EOF`, io.EOF, Internal},
		{`error(nil)`, nil, Internal},
	} {
		tc.check(t, "The layer nearest to the client knows best what its error means. Internal is the kind of those who do not know.")
	}
}

func TestKindOf_ContextAndNetTimeout(t *testing.T) {
	for _, tc := range []kindCase{
		{`context.DeadlineExceeded`, context.DeadlineExceeded, Timeout},
		{`E("repo.Get", Internal, fmt.Errorf("query: %w", context.DeadlineExceeded))`, E("repo.Get", Internal, fmt.Errorf("query: %w", context.DeadlineExceeded)), Timeout},
		{`context.Canceled`, context.Canceled, Canceled},
		{`E("repo.Get", Internal, fmt.Errorf("query: %w", context.Canceled))`, E("repo.Get", Internal, fmt.Errorf("query: %w", context.Canceled)), Canceled},
		{`&url.Error{Op: "Get", URL: "/", Err: context.Canceled}`, &url.Error{Op: "Get", URL: "/", Err: context.Canceled}, Canceled},
		{`&url.Error{Op: "Get", URL: "/", Err: context.DeadlineExceeded}`, &url.Error{Op: "Get", URL: "/", Err: context.DeadlineExceeded}, Timeout},
		{`&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}`, &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, Timeout},
		{`&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}`, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, Internal},
		{`fmt.Errorf("gateway: %w", &net.DNSError{Err: "no answer", IsTimeout: true})`, fmt.Errorf("gateway: %w", &net.DNSError{Err: "no answer", IsTimeout: true}), Timeout},
		{`&net.DNSError{Err: "no such host", Name: "timeout.example", IsNotFound: true}`, &net.DNSError{Err: "no such host", Name: "timeout.example", IsNotFound: true}, Internal},
		{`&fs.PathError{Op: "read", Path: "pipe", Err: os.ErrDeadlineExceeded}`, &fs.PathError{Op: "read", Path: "pipe", Err: os.ErrDeadlineExceeded}, Timeout},
		{`errors.New("context deadline exceeded")`, errors.New("context deadline exceeded"), Internal},
		{`errors.New("context canceled")`, errors.New("context canceled"), Internal},
		{`errors.New("i/o timeout")`, errors.New("i/o timeout"), Internal},
		{"silentTimeout{} // its Timeout() is true, its text is empty", silentTimeout{}, Timeout},
		{"gaveUp{} // its Is matches context.DeadlineExceeded", gaveUp{context.DeadlineExceeded}, Timeout},
		{"gaveUp{} // its Is matches context.Canceled", gaveUp{context.Canceled}, Canceled},
	} {
		tc.check(t, "A timeout is retried and alerted on, a client that went away is neither. Texts change with every release of a driver.")
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:1")
	kindCase{"func() error {\n\tctx, cancel := context.WithCancel(ctx)\n\tcancel()\n\t_, err := (&net.Dialer{}).DialContext(ctx, \"tcp\", \"127.0.0.1:1\")\n\treturn err\n}()", err, Canceled}.
		check(t, "Package net has an error of its own for this. It says so through its method Is.")
}

func TestKindOf_JoinIsWorst(t *testing.T) {
	const why = "One answer stands for several failures. It must not be 404 while the database is down."
	order := []Kind{Internal, Unavailable, Timeout, Unauthenticated, Forbidden, Conflict, NotFound, Invalid, Canceled}
	for i, worse := range order {
		for _, better := range order[i:] {
			for _, pair := range [][2]Kind{{worse, better}, {better, worse}} {
				kindCase{
					fmt.Sprintf("errors.Join(E(\"a\", %s, io.EOF), E(\"b\", %s, io.EOF))", lit(pair[0]), lit(pair[1])),
					errors.Join(E("a", pair[0], io.EOF), E("b", pair[1], io.EOF)),
					worse,
				}.check(t, why)
			}
		}
	}
	notFound := E("repo.Get", NotFound, io.EOF)
	for _, tc := range []kindCase{
		{`errors.Join(E("repo.Get", NotFound, io.EOF), io.ErrClosedPipe)`, errors.Join(notFound, io.ErrClosedPipe), Internal},
		{`errors.Join(E("repo.Get", NotFound, io.EOF), context.Canceled)`, errors.Join(notFound, context.Canceled), NotFound},
		{`errors.Join(context.Canceled, E("repo.Get", NotFound, io.EOF))`, errors.Join(context.Canceled, notFound), NotFound},
		{`errors.Join(E("repo.Get", Unavailable, io.EOF), context.DeadlineExceeded)`, errors.Join(E("repo.Get", Unavailable, io.EOF), context.DeadlineExceeded), Unavailable},
		{`errors.Join(nil, E("repo.Get", NotFound, io.EOF), nil)`, errors.Join(nil, notFound, nil), NotFound},
		{`fmt.Errorf("%w, then %w", E("repo.Get", NotFound, io.EOF), context.DeadlineExceeded)`, fmt.Errorf("%w, then %w", notFound, context.DeadlineExceeded), Timeout},
		{`E("app.Sync", Internal, errors.Join(E("repo.Get", NotFound, io.EOF), errors.Join(context.DeadlineExceeded)))`, E("app.Sync", Internal, errors.Join(notFound, errors.Join(context.DeadlineExceeded))), Timeout},
		{`many{nil, E("repo.Get", NotFound, io.EOF)} // Unwrap() []error returns both`, many{nil, notFound}, NotFound},
		{`many{E("repo.Get", NotFound, io.EOF), nil} // Unwrap() []error returns both`, many{notFound, nil}, NotFound},
		{`many{} // Unwrap() []error returns nothing`, many{}, Internal},
	} {
		tc.check(t, why)
	}
}

func TestKindOf_NoAlloc(t *testing.T) {
	cases := []kindCase{
		{`E("app.Get", Internal, fmt.Errorf("task 7: %w", E("repo.Get", NotFound, io.EOF)))`, E("app.Get", Internal, fmt.Errorf("task 7: %w", E("repo.Get", NotFound, io.EOF))), NotFound},
		{`errors.Join(context.Canceled, &ValidationError{}, E("repo.Get", Conflict, io.EOF))`, errors.Join(context.Canceled, &ValidationError{}, E("repo.Get", Conflict, io.EOF)), Conflict},
		{`E("repo.Get", Internal, &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded})`, E("repo.Get", Internal, &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}), Timeout},
		{`fmt.Errorf("query: %w", context.Canceled)`, fmt.Errorf("query: %w", context.Canceled), Canceled},
		{`io.EOF`, io.EOF, Internal},
	}
	for _, tc := range cases {
		tc.check(t, "A fast wrong answer is no use.")
	}
	for _, tc := range cases {
		allocs.AtMost(t, 0, "KindOf("+tc.do+")", func() { KindOf(tc.err) })
		if t.Failed() {
			return // one call is enough to read
		}
	}
}

func TestPublicMessage_NeverLeaks(t *testing.T) {
	forest(t, func(do string, tree *tree) {
		got := PublicMessage(tree.err)
		if strings.Contains(got, "secret") || got == "" {
			rule.Broken(t, rule.Case{
				Do:   do + "fmt.Println(PublicMessage(err))",
				Got:  got,
				Want: rule.Text("a message, and nothing secret in it"),
				Why:  "Ops and causes name tables, hosts and sometimes passwords. A client must never read them.",
			})
		}
	})
}

func TestPublicMessage_Outermost(t *testing.T) {
	for _, tc := range []struct {
		do   string
		err  error
		want string
	}{
		{`WithPublic(WithPublic(io.EOF, "inner"), "outer")`, WithPublic(WithPublic(io.EOF, "inner"), "outer"), "outer"},
		{`E("app.Create", Invalid, WithPublic(io.EOF, "The title is too long"))`, E("app.Create", Invalid, WithPublic(io.EOF, "The title is too long")), "The title is too long"},
		{`WithPublic(E("app.Create", Invalid, io.EOF), "The title is too long")`, WithPublic(E("app.Create", Invalid, io.EOF), "The title is too long"), "The title is too long"},
		{`WithPublic(WithPublic(io.EOF, "inner"), "")`, WithPublic(WithPublic(io.EOF, "inner"), ""), "inner"},
		{`fmt.Errorf("task 7: %w", WithPublic(io.EOF, "No such task"))`, fmt.Errorf("task 7: %w", WithPublic(io.EOF, "No such task")), "No such task"},
		{`&Error{Kind: NotFound, Public: "No such task"}`, &Error{Kind: NotFound, Public: "No such task"}, "No such task"},
		{`E("app.Get", Internal, E("repo.Get", NotFound, io.EOF))`, E("app.Get", Internal, E("repo.Get", NotFound, io.EOF)), "not found"},
		{`&ValidationError{Fields: fields}`, &ValidationError{Fields: []FieldError{{Field: "title", Code: "required", Message: "must not be empty"}}}, "invalid request"},
		{`context.DeadlineExceeded`, context.DeadlineExceeded, "timeout"},
		{`io.EOF`, io.EOF, "internal error"},
		{
			`errors.Join(WithPublic(E("a", Invalid, io.EOF), "A"), WithPublic(E("b", Conflict, io.EOF), "B"), WithPublic(E("c", Conflict, io.EOF), "C"))`,
			errors.Join(WithPublic(E("a", Invalid, io.EOF), "A"), WithPublic(E("b", Conflict, io.EOF), "B"), WithPublic(E("c", Conflict, io.EOF), "C")), "B",
		},
		{
			`errors.Join(WithPublic(E("a", Invalid, io.EOF), "A"), E("b", Unavailable, io.EOF))`,
			errors.Join(WithPublic(E("a", Invalid, io.EOF), "A"), E("b", Unavailable, io.EOF)), "unavailable",
		},
		{
			`E("app.Sync", Forbidden, errors.Join(WithPublic(E("a", Invalid, io.EOF), "A"), E("b", Unavailable, io.EOF)))`,
			E("app.Sync", Forbidden, errors.Join(WithPublic(E("a", Invalid, io.EOF), "A"), E("b", Unavailable, io.EOF))), "forbidden",
		},
		{`many{WithPublic(io.EOF, "No such task"), nil} // Unwrap() []error returns both`, many{WithPublic(io.EOF, "No such task"), nil}, "No such task"},
		{`error(nil)`, nil, ""},
	} {
		if got := PublicMessage(tc.err); got != tc.want {
			rule.Broken(t, rule.Case{
				Do:   "PublicMessage(" + tc.do + ")",
				Got:  got,
				Want: tc.want,
				Why:  "The client reads one message. It has to fit the status that the kind gave it.",
			})
		}
	}

	forest(t, func(do string, tree *tree) {
		want := tree.message()
		if want == "" {
			want = tree.kind().String()
		}
		if got := PublicMessage(tree.err); got != want {
			rule.Broken(t, rule.Case{
				Do:   do + "fmt.Println(PublicMessage(err))",
				Got:  got,
				Want: want,
				Why:  "The client reads one message. It has to fit the status that the kind gave it.",
			})
		}
	})
}

func TestFieldErrors_MergedStable(t *testing.T) {
	const why = "A form shows every mistake at once, each once, and in the same order after every click."
	field := func(name string) FieldError { return FieldError{Field: name, Code: "required"} }
	for _, tc := range []struct {
		do   string
		err  error
		want []string
	}{
		{`&ValidationError{Fields: []FieldError{{"title", "required", ""}, {"due", "required", ""}, {"owner", "required", ""}}}`, &ValidationError{Fields: []FieldError{field("title"), field("due"), field("owner")}}, []string{"title", "due", "owner"}},
		{`errors.Join(&ValidationError{Fields: []FieldError{{"title", "required", ""}}}, &ValidationError{Fields: []FieldError{{"due", "required", ""}}})`, errors.Join(&ValidationError{Fields: []FieldError{field("title")}}, &ValidationError{Fields: []FieldError{field("due")}}), []string{"title", "due"}},
	} {
		if got := fieldNames(FieldErrors(tc.err)); !slices.Equal(got, tc.want) {
			rule.Broken(t, rule.Case{
				Do:   "err := " + tc.do + "\nfor _, f := range FieldErrors(err) {\n\tfmt.Println(f.Field)\n}",
				Got:  rule.Textf("%v", got),
				Want: rule.Textf("%v", tc.want),
				Why:  why,
			})
		}
	}

	forest(t, func(do string, tree *tree) {
		want := tree.fieldErrors()
		got := FieldErrors(tree.err)
		if diff := cmp.Diff(want, got); diff != "" {
			rule.Broken(t, rule.Case{
				Do:   do + `fmt.Printf("%q", FieldErrors(err))`,
				Got:  rule.Textf("%q", got),
				Want: rule.Textf("%q", want),
				Why:  why,
			})
		}
	})

	wide := make([]error, 40)
	var want []FieldError
	for i := range wide {
		f := FieldError{Field: fmt.Sprintf("rows[%d].title", i), Code: "required", Message: "must not be empty"}
		want = append(want, f)
		wide[i] = fmt.Errorf("row %d: %w", i, &ValidationError{Fields: []FieldError{f, want[0]}})
	}
	if got := FieldErrors(errors.Join(wide...)); !slices.Equal(got, want) {
		rule.Broken(t, rule.Case{
			Do:   "FieldErrors(err) // a join of 40 rows, each without a title, and each repeating the first one's mistake",
			Got:  rule.Textf("%d field errors, fields %v", len(got), fieldNames(got)),
			Want: rule.Textf("%d field errors, fields %v", len(want), fieldNames(want)),
			Why:  why,
		})
	}

	invalid := &ValidationError{Fields: want[:2]}
	if got := FieldErrors(invalid); len(got) == 2 {
		got[0].Message = "translated"
		_ = append(got[:1], FieldError{})
	}
	if invalid.Fields[0].Message != "must not be empty" || invalid.Fields[1].Field != "rows[1].title" {
		rule.Broken(t, rule.Case{
			Do:   "v := &ValidationError{Fields: fields}\ngot := FieldErrors(v)\n" + `got[0].Message = "translated"`,
			Got:  rule.Textf("v.Fields is now %q", invalid.Fields),
			Want: rule.Text("v.Fields is as before"),
			Why:  "An error is shared: the handler translates it while the logger still reads it.",
		})
	}
}

func TestRetryable_Table(t *testing.T) {
	for _, tc := range []struct {
		do   string
		err  error
		want bool
	}{
		{`E("op", Internal, io.EOF)`, E("op", Internal, io.EOF), false},
		{`E("op", Invalid, io.EOF)`, E("op", Invalid, io.EOF), false},
		{`E("op", NotFound, io.EOF)`, E("op", NotFound, io.EOF), false},
		{`E("op", Conflict, io.EOF)`, E("op", Conflict, io.EOF), false},
		{`E("op", Unauthenticated, io.EOF)`, E("op", Unauthenticated, io.EOF), false},
		{`E("op", Forbidden, io.EOF)`, E("op", Forbidden, io.EOF), false},
		{`E("op", Timeout, io.EOF)`, E("op", Timeout, io.EOF), true},
		{`E("op", Unavailable, io.EOF)`, E("op", Unavailable, io.EOF), true},
		{`E("op", Canceled, io.EOF)`, E("op", Canceled, io.EOF), false},
		{`fmt.Errorf("query: %w", context.DeadlineExceeded)`, fmt.Errorf("query: %w", context.DeadlineExceeded), true},
		{`fmt.Errorf("query: %w", context.Canceled)`, fmt.Errorf("query: %w", context.Canceled), false},
		{`E("app.Create", Conflict, E("repo.Insert", Unavailable, io.EOF))`, E("app.Create", Conflict, E("repo.Insert", Unavailable, io.EOF)), false},
		{`errors.Join(E("a", Unavailable, io.EOF), io.EOF)`, errors.Join(E("a", Unavailable, io.EOF), io.EOF), false},
		{`errors.Join(E("a", Unavailable, io.EOF), context.Canceled)`, errors.Join(E("a", Unavailable, io.EOF), context.Canceled), true},
		{`error(nil)`, nil, false},
	} {
		if got := Retryable(tc.err); got != tc.want {
			rule.Broken(t, rule.Case{
				Do:   "Retryable(" + tc.do + ")",
				Got:  got,
				Want: tc.want,
				Why:  "A wrong yes multiplies the load of an outage, a wrong no turns a hiccup into a failed request.",
			})
		}
	}
}

func TestErrorsAreComparableSafely(t *testing.T) {
	list := many{io.EOF} // a slice: == on two of them panics
	err := E("app.Sync", Invalid, list)
	for _, tc := range []struct {
		do   string
		call func() any
		want any
	}{
		{`errors.Is(err, list)`, func() any { return errors.Is(err, list) }, false},
		{`errors.Is(err, &Error{Kind: Invalid})`, func() any { return errors.Is(err, &Error{Kind: Invalid}) }, true},
		{`errors.Is(err, &Error{Kind: Invalid, Err: list})`, func() any { return errors.Is(err, &Error{Kind: Invalid, Err: list}) }, false},
		{`errors.Is(err, io.EOF)`, func() any { return errors.Is(err, io.EOF) }, true},
		{`KindOf(errors.Join(err, list))`, func() any { return KindOf(errors.Join(err, list)) }, Internal},
		{`PublicMessage(err)`, func() any { return PublicMessage(err) }, "invalid request"},
	} {
		if got := try(tc.call); got != tc.want {
			rule.Broken(t, rule.Case{
				Do: "type many []error // with methods Error and Unwrap\n" +
					"list := many{io.EOF}\n" + `err := E("app.Sync", Invalid, list)` + "\n" + tc.do,
				Got:  got,
				Want: tc.want,
				Why:  "Whoever returns the error chose its type. Looking at an error must never be what kills the process.",
			})
		}
	}
}

// TestKindOf_RandomTrees compares KindOf with a model.
func TestKindOf_RandomTrees(t *testing.T) {
	forest(t, func(do string, tree *tree) {
		if got, want := KindOf(tree.err), tree.kind(); got != want {
			rule.Broken(t, rule.Case{
				Do:   do + "fmt.Println(KindOf(err))",
				Got:  rule.Text(got.String()),
				Want: rule.Text(want.String()),
				Why:  "Real errors are trees of several layers. The rules have to hold for every one of them.",
			})
		}
	})
}

// kindCase is an error, the code that makes it, and its kind.
type kindCase struct {
	do   string
	err  error
	want Kind
}

func (c kindCase) check(t *testing.T, why string) {
	t.Helper()
	if got := KindOf(c.err); got != c.want {
		code, comment, _ := strings.Cut(c.do, " // ")
		if comment != "" {
			comment = " // " + comment
		}
		rule.Broken(t, rule.Case{
			Do:   "fmt.Println(KindOf(" + code + "))" + comment,
			Got:  rule.Text(got.String()),
			Want: rule.Text(c.want.String()),
			Why:  why,
		})
	}
}

type silentTimeout struct{}

func (silentTimeout) Error() string { return "" }
func (silentTimeout) Timeout() bool { return true }

type gaveUp struct{ as error }

func (gaveUp) Error() string          { return "gave up" }
func (g gaveUp) Is(target error) bool { return target == g.as }

type many []error

func (m many) Error() string   { return fmt.Sprintf("%d errors", len(m)) }
func (m many) Unwrap() []error { return m }

// tree is a random error, and what a model of the contract needs to know of it.
type tree struct {
	err    error
	do     string // the code that makes err
	own    Kind   // what the root says itself
	public string // of the root
	fields []FieldError
	kids   []*tree
}

// severity lists the kinds from worst to harmless.
var severity = []Kind{Internal, Unavailable, Timeout, Unauthenticated, Forbidden, Conflict, NotFound, Invalid, Canceled}

func (n *tree) kind() Kind {
	switch {
	case n.own != Internal:
		return n.own
	case len(n.kids) == 0:
		return Internal
	default:
		return n.worst().kind()
	}
}

func (n *tree) worst() *tree {
	return slices.MinFunc(n.kids, func(a, b *tree) int { // the first of equals
		return slices.Index(severity, a.kind()) - slices.Index(severity, b.kind())
	})
}

func (n *tree) message() string {
	if n.public != "" || len(n.kids) == 0 {
		return n.public
	}
	return n.worst().message()
}

func (n *tree) fieldErrors() []FieldError {
	all := slices.Clone(n.fields)
	for _, kid := range n.kids {
		all = append(all, kid.fieldErrors()...)
	}
	var once []FieldError
	for _, f := range all {
		if !slices.Contains(once, f) {
			once = append(once, f)
		}
	}
	return once
}

// forest calls check with 200 random trees. All texts but public messages
// contain "secret".
func forest(t *testing.T, check func(do string, tree *tree)) {
	t.Helper()
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range 200 {
		tree := grow(rng, 1+i/40)
		check(fmt.Sprintf("err := %s // seed %#x\n", tree.do, seed), tree)
	}
}

func grow(rng *rand.Rand, depth int) *tree {
	n := rng.IntN(100)
	if depth == 0 {
		switch rng.IntN(5) {
		case 0:
			return &tree{err: context.Canceled, do: "context.Canceled", own: Canceled}
		case 1:
			return &tree{err: context.DeadlineExceeded, do: "context.DeadlineExceeded", own: Timeout}
		case 2:
			fields := make([]FieldError, 1+n%3)
			for i := range fields {
				fields[i] = FieldError{Field: string(rune('a' + rng.IntN(6))), Code: "required", Message: "secret"}
			}
			return &tree{
				err:    &ValidationError{Fields: fields},
				do:     "&ValidationError{Fields: " + strings.ReplaceAll(fmt.Sprintf("%#v", fields), "errtypes.", "") + "}",
				own:    Invalid,
				fields: fields,
			}
		default:
			text := fmt.Sprintf("secret %d", n)
			return &tree{err: errors.New(text), do: fmt.Sprintf("errors.New(%q)", text)}
		}
	}

	kid := grow(rng, depth-1)
	switch rng.IntN(5) {
	case 0, 1:
		op, kind := fmt.Sprintf("secret%d", n), severity[rng.IntN(len(severity))]
		return &tree{
			err: E(op, kind, kid.err), do: fmt.Sprintf("E(%q, %s, %s)", op, lit(kind), kid.do),
			own: kind, kids: []*tree{kid},
		}
	case 2:
		msg := fmt.Sprintf("message %d", n)
		return &tree{
			err: WithPublic(kid.err, msg), do: fmt.Sprintf("WithPublic(%s, %q)", kid.do, msg),
			public: msg, kids: []*tree{kid},
		}
	case 3:
		return &tree{err: fmt.Errorf("secret: %w", kid.err), do: fmt.Sprintf(`fmt.Errorf("secret: %%w", %s)`, kid.do), kids: []*tree{kid}}
	default:
		kids := []*tree{kid, grow(rng, depth-1), grow(rng, max(0, depth-2))}
		return &tree{
			err: errors.Join(kids[0].err, kids[1].err, kids[2].err),
			do:  fmt.Sprintf("errors.Join(%s, %s, %s)", kids[0].do, kids[1].do, kids[2].do), kids: kids,
		}
	}
}

// lit writes k as Go code.
func lit(k Kind) string {
	return map[Kind]string{
		Internal: "Internal", Invalid: "Invalid", NotFound: "NotFound", Conflict: "Conflict", Unauthenticated: "Unauthenticated",
		Forbidden: "Forbidden", Timeout: "Timeout", Unavailable: "Unavailable", Canceled: "Canceled",
	}[k]
}

func fieldNames(fields []FieldError) []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.Field)
	}
	return names
}

// text returns err.Error(), also for the nil of a stub.
func text(err error) string {
	if err == nil {
		return "<nil>"
	}
	return err.Error()
}

// try calls f and turns a panic into a result.
func try(f func() any) (result any) {
	defer func() {
		if v := recover(); v != nil {
			result = rule.Textf("panic: %v", v)
		}
	}()
	return f()
}
