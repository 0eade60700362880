// Package editor_test tests what the repository tells editors: the tasks of
// Visual Studio Code, and the container to work in.
package editor_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"

	"github.com/middle-go/course/grader/internal/course"
)

func root(name string) string { return filepath.Join("..", "..", "..", filepath.FromSlash(name)) }

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(root(name))
	require.NoError(t, err)
	return content
}

type task struct {
	Label          string
	Args           []string
	DependsOn      string
	ProblemMatcher []matcher
}

// matcher finds problems in output. A pattern of several regular expressions is
// for as many lines that follow each other.
type matcher struct {
	FileLocation []string
	Pattern      patterns
}

type pattern struct {
	Regexp                    string
	File, Line, Message, Code int // groups; 0 for none
}

// patterns is one pattern, or a list of them.
type patterns []pattern

func (p *patterns) UnmarshalJSON(data []byte) error {
	var one pattern
	if json.Unmarshal(data, &one) == nil {
		*p = patterns{one}
		return nil
	}
	return json.Unmarshal(data, (*[]pattern)(p))
}

func tasks(t *testing.T) (list []task, weeks []string) {
	t.Helper()
	var file struct {
		Tasks  []task
		Inputs []struct{ Options []string }
	}
	require.NoError(t, json.Unmarshal(read(t, ".vscode/tasks.json"), &file))
	return file.Tasks, file.Inputs[0].Options
}

// problem is what an editor shows, and where a click leads.
type problem struct{ File, Line, Message, Code string }

// find applies m the way an editor does: line by line, from every line.
func (m matcher) find(output string) []problem {
	var found []problem
	lines := strings.Split(output, "\n")
	for i := range lines {
		if p, ok := m.at(lines[i:]); ok {
			found = append(found, p)
		}
	}
	return found
}

func (m matcher) at(lines []string) (p problem, ok bool) {
	if len(lines) < len(m.Pattern) {
		return p, false
	}
	for i, pat := range m.Pattern {
		groups := regexp.MustCompile(pat.Regexp).FindStringSubmatch(lines[i])
		if groups == nil {
			return p, false
		}
		for group, field := range map[int]*string{pat.File: &p.File, pat.Line: &p.Line, pat.Message: &p.Message, pat.Code: &p.Code} {
			if group > 0 {
				*field = groups[group]
			}
		}
	}
	return p, true
}

func TestTasks_FailuresOfTheTextReportAreClickable(t *testing.T) {
	list, _ := tasks(t)
	graded := 0
	for _, task := range list {
		if task.Label != "week" && task.Label != "this exercise" {
			require.Empty(t, task.ProblemMatcher, task.Label)
			continue
		}
		graded++
		var found []problem
		for _, m := range task.ProblemMatcher {
			require.Equal(t, []string{"relative", "${workspaceFolder}"}, m.FileLocation)
			found = append(found, m.find(string(read(t, "grader/internal/report/testdata/mixed.txt")))...)
			found = append(found, m.find(string(read(t, "grader/internal/report/testdata/again.txt")))...)
		}
		require.ElementsMatch(t, []problem{
			{"week01/escape/escape.go", "12", "undefined: x", ""},
			{"week01/zerocopy/zerocopy.go", "4", `import "unsafe" is not allowed in this exercise; its README lists what is`, ""},
			{"week01/aliasing/aliasing_test.go", "27", "Batches: append does not reach neighbour", "TestBatches_AppendDoesNotReachNeighbour"},
			{"tasktracker/domain/m01a_test.go", "80", "m01a passed before, now fails: Transition matrix", "TestTransitionMatrix"},
			{"tasktracker/domain/m01a_test.go", "80", "m02c is an earlier milestone, and fails: Transition matrix", "TestTransitionMatrix"},
		}, found, task.Label)
	}
	require.Equal(t, 2, graded)
}

// The line of a traceback is no failure of its own.
func TestTasks_WhatASubmissionPrintsIsNotClickable(t *testing.T) {
	list, _ := tasks(t)
	const output = "       do: x.go:3: y\n      got: a.go:1\n    goroutine 7 at aliasing.go:31 in WithTag\nx.go:7: z\n"
	for _, task := range list {
		for _, m := range task.ProblemMatcher {
			require.Empty(t, m.find(output))
		}
	}
}

func TestTasks_GradeWithTheGraderOfTheCheckout(t *testing.T) {
	list, weeks := tasks(t)
	labels := map[string]bool{}
	for _, task := range list {
		labels[task.Label] = true
	}
	for _, want := range []string{"week", "watch", "hint"} {
		require.True(t, labels[want], want)
	}
	for _, task := range list {
		require.True(t, task.DependsOn == "" || labels[task.DependsOn], task.DependsOn)
	}
	require.Len(t, weeks, course.Weeks)
}

func TestContainer_HasTheToolchainOfTheWorkspace(t *testing.T) {
	work, err := modfile.ParseWork("go.work", read(t, "go.work"), nil)
	require.NoError(t, err)
	version := strings.TrimPrefix(work.Toolchain.Name, "go")
	require.Contains(t, string(read(t, ".devcontainer/Dockerfile")), "\nFROM golang:"+version+"-bookworm\n")
	require.True(t, json.Valid(read(t, ".devcontainer/devcontainer.json")))
}
