package watch

import (
	"cmp"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
)

// effects is what a model may do to the world. Every method may take long; a
// model calls them in commands only.
type effects interface {
	// grade gives the verdict on an exercise, without the cache if fresh is
	// set, and notes it in the record; a verdict that could not be noted comes
	// together with an error. A grading cancels the one of the same exercise
	// with a lower run, whichever is called first.
	grade(ex *course.Exercise, run int, fresh bool) (*grade.Verdict, error)

	// hint returns the next hint of an exercise and notes that it was shown. A
	// hint that could not be noted comes together with an error.
	hint(ex *course.Exercise) (*hint, error)

	// changes waits for the next saves. After an error no save will be noticed.
	changes() (change, error)
}

// hint is one hint of an exercise.
type hint struct {
	number, of int
	text       string
	again      bool // all hints had been shown before
}

// The messages that commands send.
type (
	gradedMsg struct {
		id      string
		run     int
		verdict *grade.Verdict
		err     error
	}
	hintMsg struct {
		id   string
		hint *hint
		err  error
	}
	changeMsg change
	blindMsg  struct{ err error } // saves are not noticed any more
)

// model is the state of the screen. Update and View have no effects.
type model struct {
	do       effects
	report   *report.Summary // shows the parts of a verdict
	nextStep string

	title   string
	rows    []row
	current int // index of the row that is shown big
	finding int // index of the finding that is shown big
	runs    int // gradings started so far

	problem error // what keeps the watch from working as it should
	notice  error // what went wrong once; the next key removes it

	width, height int
	offset        int // first line shown of the current exercise
}

// row is one exercise.
type row struct {
	ex      *course.Exercise
	run     int // its latest grading
	grading bool
	verdict *grade.Verdict // nil before the first
	err     error          // why the latest grading gave no verdict
	hint    *hint          // the hint on the screen
}

func (r row) passed() bool {
	return r.err == nil && r.verdict != nil && r.verdict.Status == checks.Pass
}

// failing returns the findings to work on.
func (r row) failing() []checks.Finding {
	if r.err != nil || r.verdict == nil || r.passed() {
		return nil
	}
	return report.Failing(r.verdict)
}

// newModel returns the model of a week whose exercises are about to be graded.
func newModel(do effects, week *course.Week) model {
	m := model{do: do, report: &report.Summary{Path: func(p string) string { return p }}}
	return m.load(week)
}

// load takes over the exercises of a manifest. What is known of those that it
// had before stays, and all are to be graded.
func (m model) load(week *course.Week) model {
	old, shown := m.rows, m.currentID()
	m.title = fmt.Sprintf("Week %d: %s", week.Number, week.Title)
	m.rows = make([]row, len(week.Exercises))
	for i, ex := range week.Exercises {
		if j := slices.IndexFunc(old, func(r row) bool { return r.ex.ID() == ex.ID() }); j >= 0 {
			m.rows[i] = old[j]
		}
		m.rows[i].ex = ex
		m.start(i)
	}
	if i := m.index(shown); i >= 0 {
		m.current = i
	} else {
		m.current, m.finding, m.offset = 0, 0, 0
	}
	return m
}

// Init starts the first grading of every exercise.
func (m model) Init() tea.Cmd {
	cmds := []tea.Cmd{m.waitForChange}
	for i := range m.rows {
		cmds = append(cmds, m.grade(i, false))
	}
	return tea.Batch(cmds...)
}

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.rows = slices.Clone(m.rows)
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		m, cmd = m.key(msg.String())
	case gradedMsg:
		m = m.graded(msg)
	case changeMsg:
		m, cmd = m.changed(change(msg))
	case hintMsg:
		m = m.hinted(msg)
	case blindMsg:
		m.problem = fmt.Errorf("saves are not noticed any more, press r after one: %w", msg.err)
	}
	m.offset = min(max(m.offset, 0), m.lastOffset())
	return m, cmd
}

func (m model) key(key string) (model, tea.Cmd) {
	m.notice = nil
	switch key {
	case "q", "ctrl+c":
		return m, tea.Quit
	case "up", "k":
		m.offset--
	case "down", "j":
		m.offset++
	case "pgup":
		m.offset -= m.room()
	case "pgdown", "space":
		m.offset += m.room()
	}
	if len(m.rows) == 0 {
		return m, nil
	}
	switch key {
	case "n":
		return m.next(), nil
	case "h":
		return m, m.askHint
	case "r":
		m.start(m.current)
		return m, m.grade(m.current, true)
	}
	return m, nil
}

// next moves to the next failing finding of the exercise, and from the last one
// to the next failing exercise.
func (m model) next() model {
	if m.finding+1 < len(m.rows[m.current].failing()) {
		return m.show(m.current, m.finding+1)
	}
	return m.skip(func(r row) bool { return len(r.failing()) > 0 || r.err != nil })
}

// skip moves to the next exercise that is wanted, if there is one, in a circle
// that ends with the current one.
func (m model) skip(wanted func(row) bool) model {
	for step := 1; step <= len(m.rows); step++ {
		if i := (m.current + step) % len(m.rows); wanted(m.rows[i]) {
			return m.show(i, 0)
		}
	}
	return m
}

func (m model) show(exercise, finding int) model {
	m.current, m.finding, m.offset = exercise, finding, 0
	return m
}

// start makes room for a new grading of a row. It changes m.rows in place, so
// the slice must be m's own.
func (m *model) start(i int) {
	m.runs++
	m.rows[i].run, m.rows[i].grading = m.runs, true
}

func (m model) grade(i int, fresh bool) tea.Cmd {
	do, ex, run := m.do, m.rows[i].ex, m.rows[i].run
	return func() tea.Msg {
		v, err := do.grade(ex, run, fresh)
		return gradedMsg{ex.ID(), run, v, err}
	}
}

// graded takes a verdict over, unless a newer grading has begun.
func (m model) graded(msg gradedMsg) model {
	i := m.index(msg.id)
	if i < 0 || m.rows[i].run != msg.run {
		return m
	}
	r := &m.rows[i]
	before := r.failing()
	r.grading = false
	if msg.verdict == nil {
		r.err = msg.err
		if i == m.current {
			m = m.show(i, 0)
		}
		return m
	}
	r.verdict, r.err = msg.verdict, nil
	m.notice = cmp.Or(msg.err, m.notice)
	if r.passed() {
		r.hint = nil
	}
	if i != m.current {
		return m
	}
	if r.passed() {
		return m.skip(func(r row) bool { return !r.passed() })
	}
	return m.keep(before, r.failing())
}

// keep stays with the finding that the student chose if it still fails, and
// goes to the first one otherwise.
func (m model) keep(before, after []checks.Finding) model {
	at := -1
	if m.finding < len(before) {
		chosen := before[m.finding]
		at = slices.IndexFunc(after, func(f checks.Finding) bool {
			return f.Check == chosen.Check && f.Rule == chosen.Rule
		})
	}
	if at < 0 || at > 0 && m.finding == 0 {
		return m.show(m.current, 0)
	}
	m.finding = at
	return m
}

func (m model) waitForChange() tea.Msg {
	c, err := m.do.changes()
	if err != nil {
		return blindMsg{err}
	}
	return changeMsg(c)
}

// changed grades what saves touched, and shows the first of it.
func (m model) changed(c change) (model, tea.Cmd) {
	if c.week != nil || c.err != nil {
		m.problem, m.offset = c.err, 0
	}
	cmds := []tea.Cmd{m.waitForChange}
	if c.week != nil {
		m = m.load(c.week)
		for i := range m.rows {
			cmds = append(cmds, m.grade(i, false))
		}
		return m, tea.Batch(cmds...)
	}
	for _, id := range c.touched {
		i := m.index(id)
		m.start(i)
		cmds = append(cmds, m.grade(i, false))
	}
	if len(c.touched) > 0 && !slices.Contains(c.touched, m.currentID()) {
		m = m.show(m.index(c.touched[0]), 0)
	}
	return m, tea.Batch(cmds...)
}

func (m model) askHint() tea.Msg {
	ex := m.rows[m.current].ex
	h, err := m.do.hint(ex)
	return hintMsg{ex.ID(), h, err}
}

// hinted shows a hint and scrolls to it.
func (m model) hinted(msg hintMsg) model {
	m.notice = cmp.Or(msg.err, m.notice)
	i := m.index(msg.id)
	if i < 0 || msg.hint == nil {
		return m
	}
	m.rows[i].hint = msg.hint
	if i == m.current {
		first, last := m.hintLines()
		m.offset = min(max(m.offset, last-m.room()), first)
	}
	return m
}

// index returns the row of an exercise, or -1.
func (m model) index(id string) int {
	return slices.IndexFunc(m.rows, func(r row) bool { return r.ex.ID() == id })
}

// currentID names the exercise that is shown big, if there is one.
func (m model) currentID() string {
	if m.current >= len(m.rows) {
		return ""
	}
	return m.rows[m.current].ex.ID()
}
