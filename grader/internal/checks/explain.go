package checks

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// logLine matches "    file_test.go:27: message", as package testing logs.
var logLine = regexp.MustCompile(`^    ([A-Za-z0-9_]+\.go):(\d+): ?(.*)$`)

// cleanLog takes the frame of package testing off a failure: the position of
// the first message, and all messages without their indent.
func cleanLog(output string) (text, file string, line int) {
	var b strings.Builder
	for l := range strings.Lines(output) {
		l = strings.TrimRight(l, "\n")
		if m := logLine.FindStringSubmatch(l); m != nil {
			if file == "" {
				file = m[1]
				line = lineNumber(m[2])
			}
			l = m[3]
		}
		b.WriteString(strings.TrimPrefix(l, "        "))
		b.WriteByte('\n')
	}
	return strings.Trim(b.String(), "\n"), file, line
}

// lineNumber reads the number of a line. It is 0 for one that no file has.
func lineNumber(s string) int {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// meaningful reports whether a test logged something itself, and not only
// through its subtests.
func meaningful(output string) bool {
	for line := range strings.Lines(output) {
		if logLine.MatchString(strings.TrimRight(line, "\n")) {
			return true
		}
	}
	return false
}

// crash is a panic, reduced to what a student needs.
type crash struct {
	message, detail, file string
	line                  int
}

var (
	panicLine = regexp.MustCompile(`(?m)^(?:panic: |fatal error: )(.*)$`)
	nextPanic = regexp.MustCompile(`^\n\tpanic: (.*)`) // while the one before was handled

	// What the runtime and the race detector say at the limit on memory.
	outOfMemory = regexp.MustCompile(`out of memory|cannot allocate memory|too many address space collisions|ThreadSanitizer failed to allocate`)
	frameLine   = regexp.MustCompile(`^\t(\S+\.go):(\d+)`)
)

// findPanic finds the first panic in what a program printed and the first line
// of the student's own code on its stack.
func (r *Room) findPanic(output string) (crash, bool) {
	at := panicLine.FindStringSubmatchIndex(output)
	if at == nil {
		return crash{}, false
	}
	text, end := output[at[2]:at[3]], at[1]
	for m := nextPanic.FindStringSubmatch(output[end:]); m != nil; m = nextPanic.FindStringSubmatch(output[end:]) {
		text, end = m[1], end+len(m[0])
	}
	if strings.HasPrefix(text, "test timed out") {
		return crash{}, false
	}
	text = strings.TrimSuffix(text, " [recovered]")
	text, _, _ = strings.Cut(text, " [recovered, repanicked]")
	c := crash{message: "panic: " + text}
	switch {
	case text == "stack overflow", outOfMemory.MatchString(text) && strings.Contains(output, "\nruntime.newstack()"):
		c.message = "stack overflow: a function calls itself and does not stop"
	case outOfMemory.MatchString(text):
		c.message = "out of memory (limit: " + toolchain.MemoryLimit + ")"
	}
	function := ""
	for line := range strings.Lines(output[end:]) {
		m := frameLine.FindStringSubmatch(line)
		if m == nil {
			if !strings.HasPrefix(line, "\t") && strings.TrimSpace(line) != "" {
				function = strings.TrimSpace(line)
			}
			continue
		}
		if file, ok := r.studentFrame(m[1]); ok {
			c.file = file
			c.line = lineNumber(m[2])
			c.detail = fmt.Sprintf("at %s:%d in %s", path.Base(file), c.line, shortFunction(function))
			break
		}
	}
	return c, true
}

// studentFrame returns the student's file that a stack frame lies in.
func (r *Room) studentFrame(frame string) (string, bool) {
	for _, f := range r.Student {
		if frame == f.Path || strings.HasSuffix(frame, "/"+f.Path) {
			return f.Path, true
		}
	}
	if r.Exercise.Kind == course.Project { // has several files of the same name
		return "", false
	}
	for _, f := range r.Student {
		dir, name := path.Split(f.Path)
		if strings.HasSuffix(frame, "/"+path.Base(dir)+"/"+name) {
			return f.Path, true
		}
	}
	return "", false
}

var (
	functionArgs = regexp.MustCompile(`\((0x[0-9a-f?]+|\{|\.\.\.|nil|_)[^()]*\)$`)
	createdBy    = regexp.MustCompile(`^created by (.*?)(?: in goroutine \d+)?$`)
)

// shortFunction turns "example.com/x/handles.(*Arena[...]).Get(0xc00, 0x1)"
// into "(*Arena[...]).Get".
func shortFunction(frame string) string {
	name := withoutPath(frame)
	if _, after, ok := strings.Cut(name, "."); ok {
		return after
	}
	return name
}

// withoutPath leaves the package's name before that of the function.
func withoutPath(frame string) string {
	if m := createdBy.FindStringSubmatch(frame); m != nil {
		frame = m[1]
	}
	frame = strings.TrimSuffix(functionArgs.ReplaceAllString(frame, ""), "()")
	frame = withoutTypes(frame)
	return frame[strings.LastIndex(frame, "/")+1:]
}

// withoutTypes writes type arguments as [...], which the race detector spells
// out as [go.shape.int].
func withoutTypes(frame string) string {
	var b strings.Builder
	depth := 0
	for _, r := range frame {
		switch {
		case r == '[':
			if depth == 0 {
				b.WriteString("[...]")
			}
			depth++
		case r == ']' && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

const raceWarning = "WARNING: DATA RACE"

var raceAccess = regexp.MustCompile(`^(Previous )?((?:atomic )?(?:[Rr]ead|[Ww]rite)) (?:at|of)`)

// explainRace reduces a report of the race detector to its two accesses and the
// student's lines.
func (r *Room) explainRace(output string) string {
	_, report, _ := strings.Cut(output, raceWarning)
	report, _, _ = strings.Cut(report, "==================")
	var accesses []access
	var current *access
	function := ""
	for line := range strings.Lines(report) {
		text := strings.TrimSpace(line)
		switch m := raceAccess.FindStringSubmatch(text); {
		case m != nil:
			accesses = append(accesses, access{kind: strings.ToLower(m[1] + m[2])})
			current = &accesses[len(accesses)-1]
		case strings.HasPrefix(text, "Goroutine "):
			current = nil
		case current == nil || text == "":
		case frameLine.MatchString("\t" + text):
			frame := frameLine.FindStringSubmatch("\t" + text)
			if file, ok := r.studentFrame(frame[1]); ok && current.place == "" {
				current.place = fmt.Sprintf("%s:%s in %s", path.Base(file), frame[2], shortFunction(function))
			}
		default:
			function = text
			if current.top == "" {
				current.top = withoutPath(function)
			}
		}
	}
	if !slices.ContainsFunc(accesses, func(a access) bool { return a.place != "" }) {
		return "Two goroutines use the same memory, at least one of them writes, and nothing orders them."
	}
	var b strings.Builder
	for _, a := range accesses {
		fmt.Fprintf(&b, "%-15s %s\n", a.kind, cmp.Or(a.place, "in "+a.top))
	}
	return b.String() + "Nothing orders these two accesses: no lock, channel or atomic lies between them."
}

// access is one of the two accesses of a data race.
type access struct {
	kind  string // such as "previous write"
	place string // the student's line, or empty if the compiler left no trace of it
	top   string // the innermost function
}

var goroutineHeader = regexp.MustCompile(`^goroutine \d+.* \[([^\],\n]+)`)

// stuckAt lists where goroutines stand in the student's code.
func (r *Room) stuckAt(output string) string {
	var out []string
	seen := map[string]bool{}
	state, function := "", ""
	for line := range strings.Lines(output) {
		if m := goroutineHeader.FindStringSubmatch(line); m != nil {
			state = m[1]
			continue
		}
		m := frameLine.FindStringSubmatch(line)
		if m == nil {
			function = strings.TrimSpace(line)
			continue
		}
		file, ok := r.studentFrame(m[1])
		if !ok || state == "" {
			continue
		}
		verb := "stands"
		if createdBy.MatchString(function) {
			verb = "was started"
		}
		at := fmt.Sprintf("a goroutine %s at %s:%s in %s [%s]", verb, path.Base(file), m[2], shortFunction(function), state)
		if !seen[at] {
			seen[at] = true
			out = append(out, at)
		}
		state = "" // only the innermost frame
	}
	return strings.Join(out, "\n")
}

// maxLeaks is how many places of leaked goroutines are listed.
const maxLeaks = 3

// explainLeak reduces goleak's report to the student's lines.
func (r *Room) explainLeak(report string) string {
	var places []string
	count := map[string]int{}
	state, function := "", ""
	for line := range strings.Lines(report) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "[Goroutine ") || strings.HasPrefix(text, "Goroutine ") {
			_, after, _ := strings.Cut(text, "in state ")
			state, _, _ = strings.Cut(after, ",")
			continue
		}
		m := frameLine.FindStringSubmatch(line)
		if m == nil {
			function = text
			continue
		}
		if file, ok := r.studentFrame(m[1]); ok && state != "" {
			started := ""
			if createdBy.MatchString(function) {
				started = "started at "
			}
			at := fmt.Sprintf("%s%s:%s in %s [%s]", started, path.Base(file), m[2], shortFunction(function), state)
			if count[at]++; count[at] == 1 {
				places = append(places, at)
			}
			state = ""
		}
	}
	if len(places) == 0 {
		return tail(report)
	}
	var b strings.Builder
	for i, at := range places {
		if i == maxLeaks {
			fmt.Fprintf(&b, "and %d more places", len(places)-i)
			break
		}
		b.WriteString(at)
		if n := count[at]; n > 1 {
			fmt.Fprintf(&b, " (%d goroutines)", n)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}
