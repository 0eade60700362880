package checks

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// Inventory is the list of tests and subtests that the reference passes. A
// verdict is believed only if the submission passes every one of them. The
// value says whether a test runs only in the build without -race.
type Inventory map[string]bool

// norace marks, in the file, tests of the build without -race.
const norace = "norace"

// InventoryFile is where the inventory of ex lies in the course tree.
func InventoryFile(courseRoot string, ex *course.Exercise) string {
	return filepath.Join(courseRoot, "grader", "inventory", strings.ReplaceAll(ex.ID(), "/", "-")+".txt")
}

// LoadInventory reads the recorded inventory of ex. An exercise that has none
// yet gives an empty one.
func LoadInventory(courseRoot string, ex *course.Exercise) (Inventory, error) {
	name := InventoryFile(courseRoot, ex)
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Inventory{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	inv := Inventory{}
	sc := bufio.NewScanner(f)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		test, mark, marked := strings.Cut(line, "\t")
		if marked && mark != norace {
			return nil, fmt.Errorf("%s:%d: mark %q is unknown; write %q or nothing", name, n, mark, norace)
		}
		inv[test] = marked
	}
	return inv, sc.Err()
}

// Bytes returns the file that LoadInventory reads.
func (inv Inventory) Bytes() []byte {
	names := make([]string, 0, len(inv))
	for name := range inv {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString("# Tests that a submission must pass. Recorded by: grader verify --record\n")
	for _, name := range names {
		b.WriteString(name)
		if inv[name] {
			b.WriteString("\t" + norace)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// Record builds the inventory from a run of the reference with -race and one
// without: the tests that passed, with a mark for those that the race detector
// makes skip.
func Record(race, plain *toolchain.Run) Inventory {
	inv := Inventory{}
	for _, t := range plain.Tests {
		if t.Outcome == toolchain.Passed {
			inv[t.Name] = true
		}
	}
	for _, t := range race.Tests {
		if t.Outcome == toolchain.Passed {
			inv[t.Name] = false
		}
	}
	return inv
}

// Tests returns how many top-level tests and how many subtests inv has.
func (inv Inventory) Tests() (top, sub int) {
	for name := range inv {
		if strings.Contains(name, "/") {
			sub++
		} else {
			top++
		}
	}
	return top, sub
}

// Plain reports whether the named test runs only in the build without -race.
func (inv Inventory) Plain(name string) bool { return inv[name] }

// in returns the tests that must pass in one build.
func (inv Inventory) in(race bool) map[string]bool {
	want := map[string]bool{}
	for name, plainOnly := range inv {
		if !race || !plainOnly {
			want[name] = true
		}
	}
	return want
}

// plainTops returns the top-level tests that have to run without -race.
func (inv Inventory) plainTops() []string {
	tops := map[string]bool{}
	for name, plainOnly := range inv {
		if plainOnly {
			top, _, _ := strings.Cut(name, "/")
			tops[top] = true
		}
	}
	list := make([]string, 0, len(tops))
	for name := range tops {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}
