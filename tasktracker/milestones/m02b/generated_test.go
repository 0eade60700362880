package m02b_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/app"
)

// known are the problems that a new task can have. Labels are labels[i].
var known = []string{
	"title required", "title too_long", "title bad_characters",
	"description too_long", "description bad_characters",
	"priority unknown_value",
	"labels too_many", "labels[i] bad_format",
	"due_at too_early", "due_at too_late",
}

// agree checks that Validate and Create say the same about in, and report only
// what is known and each problem once.
func agree(t *testing.T, in app.CreateTask) {
	t.Helper()
	invalid := in.Validate(now)
	tasks, _, _ := open()
	task, err := tasks.Create(t.Context(), ada, in)
	found := problems(invalid)
	if (invalid == nil) != (err == nil) || !slices.Equal(found, problems(err)) || (invalid != nil && len(found) == 0) {
		rule.Broken(t, rule.Case{
			Do:   source(in) + "\nin.Validate(now)\n_, err := tasks.Create(ctx, \"usr_ada\", in)",
			Got:  rule.Textf("Validate: %v\nCreate: %v", list(found, invalid), list(problems(err), err)),
			Want: rule.Text("the same problems, or none at both"),
			Why:  "What Validate lets pass, nobody explains to the client later.",
		})
	}
	seen := map[string]bool{}
	for _, p := range found {
		field, code, _ := strings.Cut(p, " ")
		class := p
		if strings.HasPrefix(field, "labels[") {
			class = "labels[i] " + code
		}
		if seen[field] || !slices.Contains(known, class) {
			rule.Broken(t, rule.Case{
				Do: source(in) + "\nin.Validate(now)", Got: list(found, nil), Want: rule.Text("one problem for each field, from the table of the README"),
				Why: "Clients have a translation for every pair of field and code in the table, and for no other.",
			})
		}
		seen[field] = true
	}
	if err == nil && task.State().Title != strings.Trim(in.Title, blanks) {
		rule.Broken(t, rule.Case{Do: source(in) + "\ntask, err := tasks.Create(ctx, \"usr_ada\", in)", Got: titleOf(task), Want: rule.Textf("%+q", strings.Trim(in.Title, blanks))})
	}
}

// source returns in as Go code, the beginning of it.
func source(in app.CreateTask) string {
	due := "nil"
	if in.DueAt != nil {
		due = "&" + in.DueAt.Format(time.RFC3339)
	}
	code := fmt.Sprintf("in := CreateTask{Title: %+q, Description: %+q, Priority: %+q, Labels: %+q, DueAt: %s}", in.Title, in.Description, in.Priority, in.Labels, due)
	if len(code) > 2000 {
		return code[:2000] + "..."
	}
	return code
}

// blanks are the runes that are cut from both ends of a title.
const blanks = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000" +
	"\u200b\u200c\u200d\u2060\ufeff"

func FuzzValidate(f *testing.F) {
	f.Add("Ship it", "Today.", "high", "ops,api", int64(3600))
	f.Add(" \u200b", "\x00", "asap", "on call,-x", int64(-1))
	f.Add("\xff\u2028", strings.Repeat("é", 8001), "", ",", int64(1<<40))
	f.Add(strings.Repeat("\u00a0é", 200), "", "low", strings.Repeat("a,", 40), int64(0))
	f.Fuzz(func(t *testing.T, title, description, priority, labels string, due int64) {
		in := app.CreateTask{Title: title, Description: description, Priority: priority, Labels: strings.Split(labels, ",")}
		if due != 0 {
			at := now.Add(time.Duration(due%(1<<33)) * time.Second)
			in.DueAt = &at
		}
		agree(t, in)
	})
}

func TestValidate_Generated(t *testing.T) {
	const seed, inputs = 11, 5_000
	random := rand.New(rand.NewPCG(seed, 0))
	pieces := []string{"", " ", "\u200b", "\u00a0", "\ufeff", "\u200d", "é", "Ship it", "on call", "ops", "-x", "K\u212a", "\u0130", "\n", "\t", "\x00", "\xff", "low", "urgent", strings.Repeat("x", 33), strings.Repeat("é", 199), strings.Repeat("世", 7999)}
	text := func() string {
		var b strings.Builder
		for range random.IntN(4) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	valid := 0
	for range inputs {
		in := app.CreateTask{Title: text(), Description: text(), Priority: []string{"", "low", "normal", "high", "urgent", text()}[random.IntN(6)]}
		for range random.IntN(3) * random.IntN(10) {
			in.Labels = append(in.Labels, []string{fmt.Sprint(random.IntN(100)), "Ops", " api", text()}[random.IntN(4)])
		}
		if random.IntN(2) == 0 {
			at := now.Add(time.Duration(random.IntN(100)-20) * time.Hour)
			if random.IntN(4) == 0 {
				at = at.AddDate(random.IntN(16_000), 0, 0)
			}
			in.DueAt = &at
		}
		agree(t, in)
		if in.Validate(now) == nil {
			valid++
		}
	}
	if valid < inputs/100 || valid > inputs/2 {
		rule.Broken(t, rule.Case{Do: "Validate of 5,000 inputs", Got: rule.Textf("%d are valid", valid), Want: rule.Text("some of them, but not most")})
	}
	agree(t, app.CreateTask{Title: "Ship it", DueAt: new(time.Time)})
}
