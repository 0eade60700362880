package checks

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
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
				line, _ = strconv.Atoi(m[2])
			}
			l = m[3]
		}
		b.WriteString(strings.TrimPrefix(l, "        "))
		b.WriteByte('\n')
	}
	return strings.Trim(b.String(), "\n"), file, line
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
	frameLine = regexp.MustCompile(`^\t(\S+\.go):(\d+)`)
)

// findPanic finds the first panic in what a program printed and the first line
// of the student's own code on its stack.
func (r *Room) findPanic(output string) (crash, bool) {
	at := panicLine.FindStringSubmatchIndex(output)
	if at == nil {
		return crash{}, false
	}
	text := output[at[2]:at[3]]
	if strings.HasPrefix(text, "test timed out") {
		return crash{}, false
	}
	text = strings.TrimSuffix(text, " [recovered]")
	text, _, _ = strings.Cut(text, " [recovered, repanicked]")
	c := crash{message: "panic: " + text}
	function := ""
	for line := range strings.Lines(output[at[1]:]) {
		m := frameLine.FindStringSubmatch(line)
		if m == nil {
			if !strings.HasPrefix(line, "\t") && strings.TrimSpace(line) != "" {
				function = strings.TrimSpace(line)
			}
			continue
		}
		if file, ok := r.studentFrame(m[1]); ok {
			c.file = file
			c.line, _ = strconv.Atoi(m[2])
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
		dir, name := path.Split(f.Path)
		if strings.HasSuffix(frame, "/"+path.Base(dir)+"/"+name) {
			return f.Path, true
		}
	}
	return "", false
}

var functionArgs = regexp.MustCompile(`\((0x[0-9a-f?]+|\{|\.\.\.|nil)[^()]*\)$`)

// shortFunction turns "example.com/x/handles.(*Arena[...]).Get(0xc00, 0x1)"
// into "(*Arena[...]).Get".
func shortFunction(frame string) string {
	frame = functionArgs.ReplaceAllString(frame, "")
	frame = strings.TrimSuffix(frame, "()")
	if i := strings.LastIndex(frame, "/"); i >= 0 {
		frame = frame[i+1:]
	}
	_, name, ok := strings.Cut(frame, ".")
	if !ok {
		return frame
	}
	return name
}

const raceWarning = "WARNING: DATA RACE"

var raceAccess = regexp.MustCompile(`^(Previous )?((?:atomic )?(?:[Rr]ead|[Ww]rite)) (?:at|of)`)

// explainRace reduces a report of the race detector to its two accesses and the
// student's lines.
func (r *Room) explainRace(output string) string {
	_, report, _ := strings.Cut(output, raceWarning)
	report, _, _ = strings.Cut(report, "==================")
	var out []string
	access, function, found := "", "", false
	for line := range strings.Lines(report) {
		text := strings.TrimSpace(line)
		switch m := raceAccess.FindStringSubmatch(text); {
		case m != nil:
			access, found = strings.ToLower(m[1]+m[2]), false
		case strings.HasPrefix(text, "Goroutine "):
			access = ""
		case strings.Contains(text, ".go:"):
			name, rest, _ := strings.Cut(text, ".go:")
			file, ok := r.studentFrame(name + ".go")
			if access != "" && !found && ok {
				n, _, _ := strings.Cut(rest, " ")
				out = append(out, fmt.Sprintf("%-15s %s:%s in %s", access, path.Base(file), n, shortFunction(function)))
				found = true
			}
		default:
			function = text
		}
	}
	if len(out) == 0 {
		return "Two goroutines use the same memory, at least one of them writes, and nothing orders them."
	}
	return strings.Join(out, "\n") + "\nNothing orders these two accesses: no lock, channel or atomic lies between them."
}

var goroutineHeader = regexp.MustCompile(`^goroutine \d+.* \[([^\],]+)`)

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
		at := fmt.Sprintf("a goroutine stands at %s:%s in %s [%s]", path.Base(file), m[2], shortFunction(function), state)
		if !seen[at] {
			seen[at] = true
			out = append(out, at)
		}
		state = "" // only the innermost frame
	}
	return strings.Join(out, "\n")
}

// maxLeaks is how many leaked goroutines are listed.
const maxLeaks = 3

// explainLeak reduces goleak's report to the student's lines.
func (r *Room) explainLeak(report string) string {
	var out []string
	state, function := "", ""
	for line := range strings.Lines(report) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "[Goroutine ") || strings.HasPrefix(text, "Goroutine ") {
			_, after, _ := strings.Cut(text, "in state ")
			state, _, _ = strings.Cut(after, ",")
			continue
		}
		name, rest, isFrame := strings.Cut(text, ".go:")
		if !isFrame {
			function = text
			continue
		}
		if file, ok := r.studentFrame(name + ".go"); ok && state != "" {
			n, _, _ := strings.Cut(rest, " ")
			out = append(out, fmt.Sprintf("%s:%s in %s [%s]", path.Base(file), n, shortFunction(function), state))
			state = ""
		}
	}
	if len(out) == 0 {
		return tail(report)
	}
	if extra := len(out) - maxLeaks; extra > 0 {
		out = append(out[:maxLeaks], fmt.Sprintf("and %d more", extra))
	}
	return strings.Join(out, "\n")
}
