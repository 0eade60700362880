package gradebook_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/gradebook"
	"github.com/middle-go/course/grader/internal/report"
)

var (
	begin = time.Date(2026, 9, 1, 18, 0, 0, 0, time.UTC)
	now   = begin.AddDate(0, 0, 10*7+2)
)

// day returns a time in the course, counted from its beginning.
func day(n int) time.Time { return begin.AddDate(0, 0, n) }

func exercise(week int, slug, title string, beliefs ...string) *course.Exercise {
	ex := &course.Exercise{
		Week: week, Slug: slug, Title: title, Dir: fmt.Sprintf("module1/week%02d/%s", week, slug),
		Misconceptions: map[string]course.Misconception{},
	}
	for i, b := range beliefs {
		ex.Misconceptions[test(i)] = course.Misconception{Belief: b, Hint: 1}
	}
	return ex
}

// test is the name of the test that catches a belief of an exercise.
func test(belief int) string { return fmt.Sprintf("TestRule%d", belief) }

func milestone(week int, beliefs ...string) *course.Exercise {
	id := course.MilestoneOf(week)
	ex := exercise(week, id, fmt.Sprintf("The project, step %d", week), beliefs...)
	ex.Kind, ex.Dir = course.Project, "tasktracker/milestones/"+id
	return ex
}

// plan is a course of twelve weeks.
func plan() []*course.Exercise {
	list := []*course.Exercise{
		exercise(1, "aliasing", "Who shares this memory?", "a sub-slice ends at its length", "append always copies", "range gives references to the elements"),
		exercise(1, "escape", "Off the heap", "pointers are faster than values"),
		exercise(1, "handles", "Handles that know they are stale", "a slot is the identity of what lies in it", "a generation never wraps"),
		exercise(1, "zerocopy", "A parser that borrows", "a string cannot change", "EOF means that there is no data"),
		milestone(1, "a copy of a struct is deep"),
		exercise(2, "accesslog", "Every byte of a line has an author", "a field ends at a space, and trimming removes one quote on each side", "the number of bytes is always a number"),
		exercise(2, "logstat", "The three-billionth line", "every line fits into a Scanner, and a line that does not is the end"),
		exercise(2, "weakcache", "A cache that lets go", "what nobody reads is collected"),
		milestone(2, "two locked steps are one"),
		exercise(3, "errwrap", "Errors that can be asked", "an error is compared with =="),
		exercise(3, "contracts", "A contract for every store", "an interface belongs beside its implementation"),
		exercise(3, "retry", "Again, but not for ever", "a retry is free", "a sleep can be cancelled"),
		milestone(3, "not found and forbidden are the same for everybody"),
		exercise(4, "generics", "One tree for all keys", "a constraint is an interface to call"),
		exercise(4, "iterators", "A sequence that stops when told", "the loop always runs to its end"),
		milestone(4, "a mock tests the contract"),
		exercise(5, "pipeline", "A pipeline that stops when told", "the one who receives closes the channel", "a cancelled context ends a goroutine"),
		exercise(5, "fanout", "Bounded work", "a goroutine is free, so a thousand are"),
		exercise(5, "oncecache", "Asked twice, computed once", "a mutex keeps two callers from doing the same work"),
		milestone(5, "a worker that panics ends alone"),
		exercise(6, "crawler", "A polite crawler", "the body of a response closes itself", "a client without a timeout has one"),
		exercise(6, "leakhunt", "Who is still waiting?", "a goroutine without a reader ends"),
		milestone(6, "shutdown is the end of main"),
		exercise(7, "middleware", "What surrounds a handler", "the first call of WriteHeader can be taken back"),
		exercise(7, "apicontract", "The contract is the API", "a PATCH replaces", "validation can come after decoding"),
		milestone(7, "a handler may read a body of any size"),
		exercise(8, "hardening", "A server for a rough neighbourhood", "ReadTimeout covers the handler"),
		milestone(8, "a log line may hold a token"),
	}
	for week := 9; week <= 12; week++ {
		for i, slug := range []string{"queries", "locks", "outbox"} {
			list = append(list, exercise(week, fmt.Sprintf("%s%d", slug, week), fmt.Sprintf("%s of week %d", strings.ToUpper(slug[:1])+slug[1:], week), fmt.Sprintf("isolation comes with a transaction, for case %d", i)))
		}
		list = append(list, milestone(week, "a commit that failed did not happen"))
	}
	return list
}

// names of made-up people. Some file names are hostile.
var names = []string{
	"ada", "Amara Okonkwo", "Anders Lindqvist", "Björk Jónsdóttir", "Chiara Rossi", "chen-wei", "Dmitri V", "Élodie Marchand",
	"farid.h", "Grace O'Malley", "Hana Suzuki", "hopper99", "Ines Carvalho", "Ivan K", "Jürgen Groß", "Kwame Mensah",
	"Lena-Marie von der Heide zu Altenburg-Blankenstein und Söhne, Gruppe 2", "liu-yang", "Mateo Fernández", "Nadia Haddad",
	"Olga P", "ליאור כהן", "Priya Raman", "quentin", "Rosa Jiménez", "Søren Kierk", "Tomasz Ż", "山田太郎",
	"<img src=x onerror=alert(1)>", "=HYPERLINK(\"evil.example\";\"marks\") @octocat | `a`",
}

func verdict(ex *course.Exercise, at time.Time, results ...checks.Result) *grade.Verdict {
	v := &grade.Verdict{
		Exercise: ex.ID(), Title: ex.Title, Week: ex.Week, Checks: results, Sandbox: "rlimits", Go: "go1.26.8", At: at, Elapsed: time.Second,
	}
	v.Status = checks.Pass
	for _, r := range results {
		v.Status = grade.Worst(v.Status, r.Status)
	}
	return v
}

func passed() checks.Result {
	return checks.Result{Check: "tests", Status: checks.Pass, Summary: "9 tests", Elapsed: time.Second}
}

// failed is a failure in which the tests of these beliefs fail, in this order.
func failed(beliefs ...int) checks.Result {
	r := checks.Result{Check: "tests", Status: checks.Fail, Elapsed: time.Second}
	for _, i := range beliefs {
		r.Findings = append(r.Findings, checks.Finding{Check: "tests", Rule: test(i), Message: "failed"})
	}
	return r
}

func status(check string, s checks.Status) checks.Result {
	return checks.Result{Check: check, Status: s, Elapsed: time.Second, Findings: []checks.Finding{{Check: check, Message: "no"}}}
}

// cohort writes reports of made-up students, two for each week that they have
// reached. It gives everybody the same reports whoever else is there.
func cohort(t *testing.T, people ...string) string {
	dir := t.TempDir()
	for i, name := range names {
		if !slices.Contains(people, name) {
			continue
		}
		rnd := rand.New(rand.NewPCG(26, uint64(i)))
		skill := 0.55 + 0.45*rnd.Float64()
		weeks := 10 - rnd.IntN(3)
		switch i % 10 {
		case 5:
			skill, weeks = 1, 10
		case 7:
			weeks = 1 + rnd.IntN(6)
		}
		for week := 1; week <= weeks; week++ {
			for attempt := range 2 {
				s := attemptOf(rnd, week, attempt, week == weeks, skill)
				s.HintsUsed[s.Verdicts[0].Exercise] = rnd.IntN(4)
				if i%8 == 3 && week > weeks-2 {
					s.Verdicts[0].Lacks = []string{"Landlock"}
				}
				if i%13 == 2 && week == weeks {
					at := s.Verdicts[0].At
					s.AddEarlier(report.Earlier{Verdict: verdict(plan()[4], at, failed(0)), PassedBefore: true})
				}
				write(t, dir, fmt.Sprintf("%s/week-%02d-%d.json", name, week, attempt+1), s)
			}
		}
	}
	return dir
}

func attemptOf(rnd *rand.Rand, week, attempt int, last bool, skill float64) *report.Summary {
	var verdicts []*grade.Verdict
	for _, ex := range plan() {
		if ex.Week != week {
			continue
		}
		at := day(7*(week-1) + 3*attempt + rnd.IntN(3))
		n := len(ex.Misconceptions)
		v := verdict(ex, at, passed())
		hard := float64(len(ex.Slug)%4) / 12
		switch p := rnd.Float64(); {
		case last && p > 0.9, attempt == 0 && p > 0.8:
			v = verdict(ex, at, failed(0))
			v.Untouched = true
		case p > 0.985:
			v = verdict(ex, at, status("policy", checks.Rejected))
		case p > 0.975:
			v = verdict(ex, at, status("race", checks.Blocked))
		case p > skill-hard+0.25*float64(attempt):
			v = verdict(ex, at, failed(rnd.IntN(n), n-1))
		}
		verdicts = append(verdicts, v)
	}
	s := report.NewSummary(fmt.Sprintf("Week %d", week), verdicts, time.Second)
	s.HintsUsed = map[string]int{}
	return s
}

func write(t *testing.T, dir, name string, s *report.Summary) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	var b bytes.Buffer
	require.NoError(t, s.Write(&b, report.JSON))
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
}

func one(v ...*grade.Verdict) *report.Summary { return report.NewSummary("title", v, time.Second) }

func newBook() *gradebook.Book { return gradebook.New(plan(), now) }
