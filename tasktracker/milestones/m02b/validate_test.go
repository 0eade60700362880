package m02b_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

// labels returns n different ones.
func labels(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("label-%d", i)
	}
	return list
}

func TestValidate_CodesClosedSet(t *testing.T) {
	year10000 := time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC)
	past := now.Add(-time.Hour)
	valid := app.CreateTask{Title: "Ship it"}
	for _, tc := range []struct {
		do   string // how the input differs from a valid one
		in   func(in *app.CreateTask)
		want string
	}{
		{`Title: ""`, func(in *app.CreateTask) { in.Title = "" }, "title required"},
		{`Title: strings.Repeat("é", 201)`, func(in *app.CreateTask) { in.Title = strings.Repeat("é", 201) }, "title too_long"},
		{`Title: "Ship\nit"`, func(in *app.CreateTask) { in.Title = "Ship\nit" }, "title bad_characters"},
		{`Title: "Ship \xff"`, func(in *app.CreateTask) { in.Title = "Ship \xff" }, "title bad_characters"},
		{`Description: strings.Repeat("é", 8001)`, func(in *app.CreateTask) { in.Description = strings.Repeat("é", 8001) }, "description too_long"},
		{`Description: "\x00"`, func(in *app.CreateTask) { in.Description = "\x00" }, "description bad_characters"},
		{`Priority: "High"`, func(in *app.CreateTask) { in.Priority = "High" }, "priority unknown_value"},
		{`Labels: []string{"on call"}`, func(in *app.CreateTask) { in.Labels = []string{"on call"} }, "labels[0] bad_format"},
		{`Labels: []string{""}`, func(in *app.CreateTask) { in.Labels = []string{""} }, "labels[0] bad_format"},
		{`Labels: 17 different ones`, func(in *app.CreateTask) { in.Labels = labels(17) }, "labels too_many"},
		{`DueAt: &anHourAgo`, func(in *app.CreateTask) { in.DueAt = &past }, "due_at too_early"},
		{`DueAt: &year10000`, func(in *app.CreateTask) { in.DueAt = &year10000 }, "due_at too_late"},
	} {
		in := valid
		tc.in(&in)
		expect(t, fmt.Sprintf(`err := CreateTask{Title: "Ship it", %s}.Validate(now)`, tc.do), in.Validate(now),
			"Programs compare field and code. Both are part of the API, and the message is not.", tc.want)
	}
	for _, tc := range []struct {
		do   string
		p    app.Patch
		want string
	}{
		{`Title: Some("")`, app.Patch{Title: app.Some("")}, "title required"},
		{`Title: Some("Ship\nit")`, app.Patch{Title: app.Some("Ship\nit")}, "title bad_characters"},
		{`Description: Some("\x00")`, app.Patch{Description: app.Some("\x00")}, "description bad_characters"},
		{`Priority: Some("")`, app.Patch{Priority: app.Some("")}, "priority unknown_value"},
		{`Assignee: Some("usr bob")`, app.Patch{Assignee: app.Some("usr bob")}, "assignee_id bad_format"},
		{`Labels: Some([]string{"ok", "on call"})`, app.Patch{Labels: app.Some([]string{"ok", "on call"})}, "labels[1] bad_format"},
		{`Labels: Some(17 different ones)`, app.Patch{Labels: app.Some(labels(17))}, "labels too_many"},
		{`DueAt: Some(year10000)`, app.Patch{DueAt: app.Some(year10000)}, "due_at too_late"},
	} {
		expect(t, fmt.Sprintf(`err := Patch{%s}.Validate(now)`, tc.do), tc.p.Validate(now),
			"Programs compare field and code. Both are part of the API, and the message is not.", tc.want)
	}
}

func TestValidate_NothingWrong(t *testing.T) {
	const why = "Who is refused without a reason cannot repair anything. A nil pointer in an error is not nil: return nil itself."
	year9999 := time.Date(9999, time.December, 31, 23, 59, 59, 999_999_000, time.UTC)
	for _, tc := range []struct {
		do string
		in app.CreateTask
	}{
		{`CreateTask{Title: "x"}`, app.CreateTask{Title: "x"}},
		{
			`CreateTask{Title: strings.Repeat("é", 200), Description: strings.Repeat("é", 8000), Priority: "low", Labels: 16 different ones and one of them twice, DueAt: &year9999}`,
			app.CreateTask{Title: strings.Repeat("é", 200), Description: strings.Repeat("é", 8000), Priority: "low", Labels: append(labels(16), " LABEL-3 "), DueAt: &year9999},
		},
	} {
		err := tc.in.Validate(now)
		expect(t, "err := "+tc.do+".Validate(now)", err, why)
		tc.in.Title = ""
		expect(t, "in := "+tc.do+"\nin.Title = \"\"\nerr := in.Validate(now)", tc.in.Validate(now), why, "title required")
	}
	expect(t, `err := CreateTask{Title: "x"}.Validate(time.Time{})`, app.CreateTask{Title: "x"}.Validate(time.Time{}), why)
	for _, tc := range []struct {
		do string
		p  app.Patch
	}{
		{`Patch{}`, app.Patch{}},
		{`Patch{Description: Null[string](), Assignee: Null[string](), Labels: Null[[]string](), DueAt: Null[time.Time]()}`,
			app.Patch{Description: app.Null[string](), Assignee: app.Null[string](), Labels: app.Null[[]string](), DueAt: app.Null[time.Time]()}},
		{`Patch{Title: Some("x"), Description: Some(""), Priority: Some("urgent"), Assignee: Some(""), Labels: Some([]string{})}`,
			app.Patch{Title: app.Some("x"), Description: app.Some(""), Priority: app.Some("urgent"), Assignee: app.Some(""), Labels: app.Some([]string{})}},
	} {
		expect(t, "err := "+tc.do+".Validate(now)", tc.p.Validate(now), why)
	}
}

func TestValidate_AllFieldsReportedAtOnce(t *testing.T) {
	const why = "A form that shows one error for each click on Save is left at the third click."
	past := now.Add(-time.Hour)
	expect(t,
		`err := CreateTask{Title: " ", Description: "\x00", Priority: "asap", Labels: []string{"ok", "on call", "-x"}, DueAt: &anHourAgo}.Validate(now)`,
		app.CreateTask{Title: " ", Description: "\x00", Priority: "asap", Labels: []string{"ok", "on call", "-x"}, DueAt: &past}.Validate(now),
		why,
		"title required", "description bad_characters", "priority unknown_value", "labels[1] bad_format", "labels[2] bad_format", "due_at too_early")
	expect(t,
		`err := Patch{Title: Null[string](), Description: Some(strings.Repeat("x", 8001)), Priority: Null[string](), Assignee: Some("usr bob"), Labels: Some(17 different ones), DueAt: Some(year10000)}.Validate(now)`,
		app.Patch{
			Title: app.Null[string](), Description: app.Some(strings.Repeat("x", 8001)), Priority: app.Null[string](), Assignee: app.Some("usr bob"),
			Labels: app.Some(labels(17)), DueAt: app.Some(time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC)),
		}.Validate(now),
		why,
		"title required", "description too_long", "priority required", "assignee_id bad_format", "labels too_many", "due_at too_late")
}

func TestValidate_FieldPathsStable(t *testing.T) {
	for _, tc := range []struct {
		labels []string
		want   []string
	}{
		{[]string{"b", "!", "a", "?"}, []string{"labels[1] bad_format", "labels[3] bad_format"}},
		{[]string{"!", "a", "!"}, []string{"labels[0] bad_format", "labels[2] bad_format"}},
		{[]string{"zoo", "zoo", "Zoo", "a b"}, []string{"labels[3] bad_format"}},
		{append(labels(20), "a b"), []string{"labels[20] bad_format"}},
	} {
		given := slices.Clone(tc.labels)
		const why = "The client marks the field by its place in what he has sent. He does not know your order."
		expect(t, fmt.Sprintf(`err := CreateTask{Title: "Ship it", Labels: %#v}.Validate(now)`, tc.labels), app.CreateTask{Title: "Ship it", Labels: given}.Validate(now), why, slices.Clone(tc.want)...)
		expect(t, fmt.Sprintf(`err := Patch{Labels: Some(%#v)}.Validate(now)`, tc.labels), app.Patch{Labels: app.Some(given)}.Validate(now), why, slices.Clone(tc.want)...)
		if !slices.Equal(given, tc.labels) {
			rule.Broken(t, rule.Case{Do: "Validate", Got: given, Want: tc.labels, Why: "To check is not to change: the labels belong to the caller."})
		}
	}
	bad := app.CreateTask{Description: "\x00", Labels: slices.Repeat([]string{"!"}, 20)}
	want := []string{"title required", "description bad_characters"}
	for i := range 16 {
		want = append(want, fmt.Sprintf("labels[%d] bad_format", i))
	}
	expect(t, `err := CreateTask{Description: "\x00", Labels: slices.Repeat([]string{"!"}, 20)}.Validate(now)`, bad.Validate(now),
		"The first 16 bad labels are reported, whatever else is wrong.", want...)
}

func TestValidate_UnicodeTrim(t *testing.T) {
	const why = "Users paste titles from web pages, with characters that nobody sees. Such a title looks empty in every list."
	for _, blank := range []string{"\u00a0", "\u2003", "\u3000", "\u0085", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", " \u200b\u00a0\ufeff\t"} {
		expect(t, fmt.Sprintf("err := CreateTask{Title: %+q}.Validate(now)", blank), app.CreateTask{Title: blank}.Validate(now), why, "title required")
		expect(t, fmt.Sprintf("err := Patch{Title: Some(%+q)}.Validate(now)", blank), app.Patch{Title: app.Some(blank)}.Validate(now), why, "title required")
	}
	padding := strings.Repeat("\u200b\u00a0", 150)
	for _, tc := range []struct{ name, title, want string }{
		{"both ends", " \u200bShip it\ufeff\u00a0", "Ship it"},
		{"inside", "\u200d\U0001F469\u200d\U0001F4BB at\u00a0work\u200d", "\U0001F469\u200d\U0001F4BB at\u00a0work"},
		{"200 runes in between", padding + strings.Repeat("é", 200) + padding, strings.Repeat("é", 200)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tasks, _, _ := open()
			do := fmt.Sprintf("title := %+q\n", tc.title)
			expect(t, do+"err := CreateTask{Title: title}.Validate(now)", app.CreateTask{Title: tc.title}.Validate(now), "Trim first, then look at what is left.")
			s := create(t, tasks)
			want := s
			want.Title = tc.want
			task, err := tasks.Update(t.Context(), ada, s.ID, s.Version, app.Patch{Title: app.Some(tc.title)})
			same(t, do+`task, err := tasks.Update(ctx, "usr_ada", id, version, Patch{Title: Some(title)})`, why, want, task, err)
			task, err = tasks.Create(t.Context(), ada, app.CreateTask{Title: tc.title})
			if err != nil || task.State().Title != tc.want {
				rule.Broken(t, rule.Case{
					Do: do + `task, err := tasks.Create(ctx, "usr_ada", CreateTask{Title: title})`, Got: rule.Textf("%v, error: %v", titleOf(task), err), Want: rule.Textf("%+q", tc.want),
					Why: "What was checked and what is stored must be the same text.",
				})
			}
		})
	}
}

func titleOf(task *domain.Task) string {
	if task == nil {
		return "no task"
	}
	return fmt.Sprintf("%+q", task.State().Title)
}

func TestValidate_DueInPastOnCreate(t *testing.T) {
	clock := now.Add(900 * time.Nanosecond)
	for _, tc := range []struct {
		name string
		due  time.Time
		want []string
	}{
		{"now.Add(-time.Microsecond)", now.Add(-time.Microsecond), []string{"due_at too_early"}},
		{"now", now, nil},
		{"now, in another zone", now.In(time.FixedZone("UTC+9", 9*60*60)), nil},
		{"now.Add(time.Microsecond)", now.Add(time.Microsecond), nil},
	} {
		expect(t, fmt.Sprintf("due := %s\nerr := CreateTask{Title: \"Ship it\", DueAt: &due}.Validate(now.Add(900 * time.Nanosecond))", tc.name),
			app.CreateTask{Title: "Ship it", DueAt: &tc.due}.Validate(clock),
			"Times are compared as they are stored, in whole microseconds. A task that is late when it is born is a typing error.", tc.want...)
	}
	expect(t, "err := Patch{DueAt: Some(yesterday)}.Validate(now)", app.Patch{DueAt: app.Some(now.Add(-24 * time.Hour))}.Validate(now),
		"A deadline that was missed may be written down later.")

	tasks, _, d := open()
	s := create(t, tasks)
	d.at = now.Add(48 * time.Hour)
	want := s
	due := now.Add(time.Hour)
	want.DueAt = &due
	const do = `task, err := tasks.Update(ctx, "usr_ada", id, version, Patch{DueAt: Some(%s)})`
	task, err := tasks.Update(t.Context(), ada, s.ID, s.Version, app.Patch{DueAt: app.Some(due)})
	same(t, fmt.Sprintf(do, "yesterday")+" // created two days ago", "The task was created before that moment, so it may be due then.", want, task, err)
	_, err = tasks.Update(t.Context(), ada, s.ID, task.State().Version, app.Patch{DueAt: app.Some(now.Add(-time.Hour))})
	expect(t, fmt.Sprintf(do, "threeDaysAgo")+" // created two days ago", err, "Only the task knows when it was created. What it says has to come out as any other problem.", "due_at too_early")
}

func TestValidate_NoWorkOnHugeInput(t *testing.T) {
	const size, limit = 4 << 20, 64 << 10
	long := strings.Repeat("é", size/2)
	capitals := strings.Repeat("A", size)
	many := slices.Repeat([]string{"on call"}, 100_000)
	for _, tc := range []struct {
		do   string
		in   app.CreateTask
		want string
	}{
		{`CreateTask{Title: strings.Repeat("é", 2<<20)}`, app.CreateTask{Title: long}, "title too_long"},
		{`CreateTask{Title: strings.Repeat("A", 4<<20)}`, app.CreateTask{Title: capitals}, "title too_long"},
		{`CreateTask{Title: "Ship it", Description: strings.Repeat("é", 2<<20)}`, app.CreateTask{Title: "Ship it", Description: long}, "description too_long"},
		{`CreateTask{Title: "Ship it", Priority: strings.Repeat("A", 4<<20)}`, app.CreateTask{Title: "Ship it", Priority: capitals}, "priority unknown_value"},
		{`CreateTask{Title: "Ship it", Labels: []string{strings.Repeat("A", 4<<20)}}`, app.CreateTask{Title: "Ship it", Labels: []string{capitals}}, "labels[0] bad_format"},
		{`CreateTask{Title: "Ship it", Labels: slices.Repeat([]string{"on call"}, 100_000)}`, app.CreateTask{Title: "Ship it", Labels: many}, ""},
	} {
		var err error
		got := allocated(func() { err = tc.in.Validate(now) })
		do := "err := " + tc.do + ".Validate(now)"
		if tc.want != "" {
			expect(t, do, err, "", tc.want)
		} else if v, ok := errors.AsType[*errs.ValidationError](err); !ok || len(v.Fields) != 16 {
			rule.Broken(t, rule.Case{
				Do: do, Got: list(problems(err), err), Want: rule.Text("labels[0] to labels[15]"),
				Why: "The response would be larger than the request, and nobody reads it.",
			})
		}
		if got > limit {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d KiB of memory allocated", got>>10), Want: rule.Textf("at most %d KiB", limit>>10),
				Why: "Anybody can send this. Who copies it before looking at its length does the work of the attacker.",
			})
		}
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
