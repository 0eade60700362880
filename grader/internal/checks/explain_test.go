package checks

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// poolRoom is the room of the exercise in testdata/traces.
func poolRoom() *Room {
	return &Room{
		Exercise: &course.Exercise{Kind: course.Implement, Slug: "pool", Dir: "module1/week05/pool", Module: "module1", Files: []string{"pool.go"}},
		Student:  []assembly.File{{Path: "module1/week05/pool/pool.go"}},
	}
}

const poolFile = "module1/week05/pool/pool.go"

func TestFindPanic_NamesTheStudentsInnermostLine(t *testing.T) {
	for name, want := range map[string]crash{
		"PanicIndex":     {"panic: runtime error: index out of range [3] with length 0", "at pool.go:26 in (*Pool[...]).Get", poolFile, 26},
		"PanicNil":       {"panic: runtime error: invalid memory address or nil pointer dereference", "at pool.go:30 in (*Pool[...]).Next", poolFile, 30},
		"PanicError":     {"panic: close pool: unsupported operation", "at pool.go:35 in Close", poolFile, 35},
		"PanicGoroutine": {"panic: assignment to entry in nil map", "at pool.go:44 in (*Pool[...]).Start.func1", poolFile, 44},
		"PanicNested":    {"panic: second after first", "at pool.go:52 in Again.func1", poolFile, 52},
		"SubPanic":       {"panic: runtime error: index out of range [0] with length 0", "at pool.go:26 in (*Pool[...]).Get", poolFile, 26},
		"FatalMap":       {"panic: concurrent map writes", "at pool.go:66 in (*Pool[...]).Put", poolFile, 66},
		"BubbleDeadlock": {"panic: deadlock: all goroutines in bubble are blocked", "at pool.go:75 in (*Pool[...]).Take", poolFile, 75},
		"BubbleLeak":     {"panic: deadlock: main bubble goroutine has exited but blocked goroutines remain", "at pool.go:98 in (*Pool[...]).watch", poolFile, 98},
		"PanicTest":      {message: "panic: not in the student's code"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := poolRoom().findPanic(trace(t, name))
			require.True(t, ok)
			require.Equal(t, want, got)
		})
	}
}

func TestFindPanic_SaysWhatTheLimitOnMemoryMeans(t *testing.T) {
	stack := crash{"stack overflow: a function calls itself and does not stop", "at pool.go:58 in Depth", poolFile, 58}
	for name, want := range map[string]crash{
		"StackPlain":  stack,
		"MemoryPlain": {"out of memory (limit: 4 GiB of address space)", "at pool.go:108 in Grow", poolFile, 108},
	} {
		got, ok := poolRoom().findPanic(trace(t, name))
		require.True(t, ok)
		require.Equal(t, want, got, name)
	}
	for _, output := range []string{
		"runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\nruntime stack:\n",
		"fatal error: too many address space collisions for -race mode\n\nruntime stack:\nruntime.newstack()\n\truntime/stack.go:1216 +0x4c9\n",
	} {
		output += "\ngoroutine 20 [copystack]:\nexample.com/pool.Depth(0xfff81)\n\texample.com/pool/pool.go:58 +0x4e\n"
		got, ok := poolRoom().findPanic(output)
		require.True(t, ok)
		require.Equal(t, stack, got)
	}

	_, ok := poolRoom().findPanic(trace(t, "Memory")) // the race detector ends the process without a panic
	require.False(t, ok)
	require.True(t, outOfMemory.MatchString(trace(t, "Memory")))
}

func TestFindPanic_FindsNoneWhereNoneIs(t *testing.T) {
	for _, name := range []string{"TimeoutChannel", "RaceField", "LeakOne", "Log"} {
		_, ok := poolRoom().findPanic(trace(t, name))
		require.False(t, ok, name)
	}
	_, ok := poolRoom().findPanic("    pool_test.go:3: panic: this is a log\n")
	require.False(t, ok)
}

func TestExplainRace_ShowsTheTwoAccesses(t *testing.T) {
	const order = "\nNothing orders these two accesses: no lock, channel or atomic lies between them."
	const generic = "Two goroutines use the same memory, at least one of them writes, and nothing orders them."
	for name, want := range map[string]string{
		"RaceField": "read            pool.go:62 in (*Pool[...]).Count\nprevious write  pool.go:62 in (*Pool[...]).Count" + order,
		"RaceTest":  generic,
		"PanicNil":  generic,
	} {
		require.Equal(t, want, poolRoom().explainRace(trace(t, name)), name)
	}
	require.Equal(t, generic, poolRoom().explainRace(""))

	// Which access comes first differs from run to run.
	lines := strings.Split(poolRoom().explainRace(trace(t, "RaceMap")), "\n")
	require.Len(t, lines, 3)
	for _, line := range lines[:2] {
		require.Regexp(t, `^(previous )?write +pool\.go:66 in \(\*Pool\[\.\.\.\]\)\.Put$`, line)
	}
	// The compiler inlines Add, and the race detector loses its line.
	got := poolRoom().explainRace(trace(t, "RaceAtomic"))
	require.Regexp(t, `(?m)^(previous )?read +pool\.go:69 in \(\*Pool\[\.\.\.\]\)\.Load$`, got)
	require.Regexp(t, `(?m)^(previous )?(atomic )?write +in atomic\.AddInt64$`, got)
}

func TestStuckAt_NamesWhereGoroutinesStand(t *testing.T) {
	for name, want := range map[string]string{
		"TimeoutChannel": "a goroutine stands at pool.go:75 in (*Pool[...]).Take [chan receive]",
		"TimeoutLock":    "a goroutine stands at pool.go:85 in (*Pool[...]).len [sync.Mutex.Lock]",
		"TimeoutMany": "a goroutine stands at pool.go:75 in (*Pool[...]).Take [chan receive]\n" +
			"a goroutine stands at pool.go:98 in (*Pool[...]).watch [chan receive]",
		"TimeoutOutside": "a goroutine was started at pool.go:103 in (*Pool[...]).Wait [sync.WaitGroup.Wait]",
		"PanicTest":      "",
	} {
		require.Equal(t, want, poolRoom().stuckAt(trace(t, name)), name)
	}
}

func TestStuckAt_TakesALineForALine(t *testing.T) {
	got := poolRoom().stuckAt("goroutine 7 [select\nexample.com/pool.f(...)\n\texample.com/module1/week05/pool/pool.go:3 +0x1\n")
	require.Equal(t, "a goroutine stands at pool.go:3 in f [select]", got)
}

func TestExplainLeak_NamesWhereGoroutinesStay(t *testing.T) {
	for name, want := range map[string]string{
		"LeakOne":     "pool.go:98 in (*Pool[...]).watch [chan receive]",
		"LeakFive":    "pool.go:98 in (*Pool[...]).watch [chan receive] (5 goroutines)",
		"LeakOutside": "started at pool.go:103 in (*Pool[...]).Wait [sync.WaitGroup.Wait]",
	} {
		require.Equal(t, want, poolRoom().explainLeak(leakReport(t, name)), name)
	}
	// A goroutine of nobody's code is shown as it is.
	require.Contains(t, poolRoom().explainLeak(leakReport(t, "LeakTest")), "in state select (no cases), with ")
}

func TestExplainLeak_ListsThreePlaces(t *testing.T) {
	var report strings.Builder
	for _, line := range []string{"1", "2", "3", "4", "5", "2"} {
		report.WriteString(" Goroutine 7 in state select, with x on top of the stack:\nexample.com/pool.f(...)\n\texample.com/module1/week05/pool/pool.go:" + line + " +0x1\n")
	}
	require.Equal(t, "pool.go:1 in f [select]\npool.go:2 in f [select] (2 goroutines)\npool.go:3 in f [select]\nand 2 more places",
		poolRoom().explainLeak(report.String()))
}

// leakReport is what goleak says in a trace.
func leakReport(t *testing.T, name string) string {
	t.Helper()
	_, report, ok := strings.Cut(trace(t, name), "PASS\n")
	require.True(t, ok)
	return report
}

func TestCleanLog_TakesOffTheFrameOfPackageTesting(t *testing.T) {
	for _, c := range []struct {
		name, output, text, file string
		line                     int
	}{
		{"one line", "    pool_test.go:27: failed\n", "failed", "pool_test.go", 27},
		{"several lines", "    pool_test.go:27:    do: Get(0)\n          got: 1\n         want: 2\n", "   do: Get(0)\n  got: 1\n want: 2", "pool_test.go", 27},
		{"several messages", "    pool_test.go:27: a\n    helper_test.go:3: b\n        c\n", "a\nb\nc", "pool_test.go", 27},
		{"empty message", "    pool_test.go:27: \n", "", "pool_test.go", 27},
		{"printed text", "printed\n    pool_test.go:27: a\n", "printed\na", "pool_test.go", 27},
		{"printed text alone", "printed\n", "printed", "", 0},
		{"no position in the middle of a line", "see pool_test.go:27: a\n", "see pool_test.go:27: a", "", 0},
		{"nothing", "", "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, file, line := cleanLog(c.output)
			require.Equal(t, c.text, text)
			require.Equal(t, c.file, file)
			require.Equal(t, c.line, line)
			require.Equal(t, c.file != "", meaningful(c.output))
		})
	}
}

func TestShortFunction_LeavesWhatAStudentHasWritten(t *testing.T) {
	for frame, want := range map[string]string{
		"github.com/middle-go/course/module1/week01/handles.(*Arena[...]).Get(0xc000012345, 0x1)": "(*Arena[...]).Get",
		"github.com/middle-go/course/module1/week01/handles.(*Arena[...]).Get(...)":               "(*Arena[...]).Get",
		"example.com/pool.Close({0x652411, 0x4})":                                                 "Close",
		"example.com/pool.Close(_, 0x1)":                                                          "Close",
		"example.com/pool.Depth(0x15554fb?)":                                                      "Depth",
		"example.com/pool.New(nil)":                                                               "New",
		"example.com/pool.Pool.Len()":                                                             "Pool.Len",
		"example.com/pool.(*Pool[go.shape.int]).Count()":                                          "(*Pool[...]).Count",
		"example.com/pool.(*Pool[go.shape.[]uint8]).Count.func1()":                                "(*Pool[...]).Count.func1",
		"example.com/pool.Map[go.shape.*example.com/other/pkg.T,go.shape.string]()":               "Map[...]",
		"created by example.com/pool.(*Pool[...]).Watch in goroutine 22":                          "(*Pool[...]).Watch",
		"created by time.goFunc":                                                                  "goFunc",
		"main.main()":                                                                             "main",
		"main":                                                                                    "main",
		"":                                                                                        "",
	} {
		require.Equal(t, want, shortFunction(frame), frame)
	}
}

func TestStudentFrame_KnowsTheFileInEveryTree(t *testing.T) {
	r := poolRoom()
	for frame, want := range map[string]bool{
		"module1/week05/pool/pool.go":                                     true,
		"github.com/middle-go/course/module1/week05/pool/pool.go":         true,
		"/cache/work/abc/week05-pool-0/plain/module1/week05/pool/pool.go": true,
		"example.com/somewhere/pool/pool.go":                              true,
		"pool.go":                                                         false,
		"sync/pool.go":                                                    false,
		"github.com/middle-go/course/module1/week05/pool/pool_test.go":    false,
		"example.com/carpool/pool.go":                                     false,
	} {
		file, ok := r.studentFrame(frame)
		require.Equal(t, want, ok, frame)
		if ok {
			require.Equal(t, poolFile, file)
		}
	}
}
