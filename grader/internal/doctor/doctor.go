// Package doctor looks at this machine and says what the grader can do on it.
package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/cachedir"
	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// Item is one thing that a machine may have.
type Item struct {
	Name     string
	OK       bool
	Found    string // what was found, or why it was not
	Blocks   string // what cannot be done without it; empty if nothing
	Fix      string // the command that brings it
	Required bool
}

// MinimumGo is the language version that the course is written for.
const MinimumGo = "go1.26"

// Examine looks at the machine.
func Examine(ctx context.Context) []Item {
	return []Item{
		goItem(ctx),
		compilerItem(ctx),
		boxItem(),
		cacheItem(),
		tool("make", "the short commands; go run ./grader/cmd/grader works without it", false),
		tool("git", "cloning the course, and going back to a stub", false),
		tool("docker", "nothing in weeks 1 to 8; real services in later weeks", false),
	}
}

func goItem(ctx context.Context) Item {
	item := Item{Name: "go", Required: true, Blocks: "everything", Fix: "install " + MinimumGo + " or later from https://go.dev/dl/"}
	g, err := toolchain.Find(ctx, ".")
	if err != nil {
		item.Found = err.Error()
		return item
	}
	item.Found = g.Version
	item.OK = atLeast(g.Version, MinimumGo)
	return item
}

// atLeast compares versions such as go1.26.8 and go1.9 by their minor number.
func atLeast(have, want string) bool {
	var h, w int
	if _, err := fmt.Sscanf(have, "go1.%d", &h); err != nil {
		return true // a development version
	}
	if _, err := fmt.Sscanf(want, "go1.%d", &w); err != nil {
		return false
	}
	return h >= w
}

func compilerItem(ctx context.Context) Item {
	item := Item{Name: "C compiler", Blocks: "the race detector, and so a full verdict on any exercise"}
	item.Fix = install(map[string]string{
		"apt-get": "sudo apt-get install -y gcc libc6-dev",
		"dnf":     "sudo dnf install -y gcc glibc-devel",
		"apk":     "sudo apk add gcc musl-dev",
		"pacman":  "sudo pacman -S gcc",
	}, "xcode-select --install")
	g, err := toolchain.Find(ctx, ".")
	if err != nil {
		item.Found = "needs go first"
		return item
	}
	item.OK = g.HasCCompiler()
	item.Found = "not found"
	if item.OK {
		item.Found = "found"
	}
	return item
}

// boxItem says what contains a submission here that reaches as far as any may.
func boxItem() Item {
	lacks := sandbox.Lacks(sandbox.Reach{Children: true, Loopback: true})
	item := Item{
		Name: "box", OK: len(lacks) == 0, Found: sandbox.Walls(),
		Blocks: "verdicts that count, on exercises that need it; those from here are for practice",
	}
	if !item.OK {
		item.Found += "; it lacks " + strings.Join(lacks, " and ")
	}
	return item
}

func cacheItem() Item {
	item := Item{Name: "cache", Required: true, Blocks: "everything", Fix: "export GRADER_CACHE=/a/directory/that/you/may/write"}
	dir, err := cachedir.Path()
	if err != nil {
		item.Found = err.Error()
		return item
	}
	work, err := assembly.Acquire("doctor", "doctor")
	if err != nil {
		item.Found = err.Error()
		return item
	}
	work.Release()
	item.OK, item.Found = true, dir
	return item
}

func tool(name, blocks string, required bool) Item {
	item := Item{Name: name, Required: required, Blocks: blocks}
	item.Fix = install(map[string]string{
		"apt-get": "sudo apt-get install -y " + debian(name),
		"dnf":     "sudo dnf install -y " + name,
		"apk":     "sudo apk add " + name,
		"pacman":  "sudo pacman -S " + name,
	}, "brew install "+name)
	path, err := exec.LookPath(name)
	if err != nil {
		item.Found = "not found"
		return item
	}
	item.OK, item.Found = true, path
	return item
}

func debian(name string) string {
	if name == "docker" {
		return "docker.io"
	}
	return name
}

// install returns the command of the first package manager that this machine
// has, or the one for macOS.
func install(byManager map[string]string, macOS string) string {
	if runtime.GOOS == "darwin" {
		return macOS
	}
	for _, manager := range []string{"apt-get", "dnf", "apk", "pacman"} {
		if _, err := exec.LookPath(manager); err == nil {
			command := byManager[manager]
			if os.Geteuid() == 0 {
				command = strings.TrimPrefix(command, "sudo ")
			}
			return command
		}
	}
	return "install it with your system's package manager"
}
