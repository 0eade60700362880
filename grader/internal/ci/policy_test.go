package ci_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

type workflow struct {
	On          any            `yaml:"on"`
	Permissions any            `yaml:"permissions"`
	Env         any            `yaml:"env"`
	Jobs        map[string]job `yaml:"jobs"`
}

type job struct {
	Permissions any            `yaml:"permissions"`
	Uses        string         `yaml:"uses"`
	Secrets     any            `yaml:"secrets"`
	Environment any            `yaml:"environment"`
	RunsOn      string         `yaml:"runs-on"`
	Timeout     int            `yaml:"timeout-minutes"`
	Env         map[string]any `yaml:"env"`
	Steps       []step         `yaml:"steps"`
}

type step struct {
	Uses string         `yaml:"uses"`
	Run  string         `yaml:"run"`
	With map[string]any `yaml:"with"`
	Env  map[string]any `yaml:"env"`
}

func read(t *testing.T, name string, into any) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, ".github", name))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, into))
	return string(data)
}

func load(t *testing.T, name string) workflow {
	t.Helper()
	var w workflow
	read(t, "workflows/"+name, &w)
	require.NotEmpty(t, w.Jobs)
	return w
}

var none = map[string]any{}

func TestPolicy_APullRequestIsGradedByTheBaseBranch(t *testing.T) {
	w := load(t, "grade.yml")
	require.Contains(t, w.On, "pull_request_target")
	require.Len(t, w.On, 1)
	require.Contains(t, load(t, "report.yml").On, "workflow_call")
	require.NotContains(t, load(t, "course.yml").On, "pull_request_target")
}

func TestPolicy_JobsWithAStrangersCodeMayNothing(t *testing.T) {
	w := load(t, "grade.yml")
	require.Equal(t, none, w.Permissions)
	require.Nil(t, w.Env)
	for _, name := range []string{"plan", "grade"} {
		j := w.Jobs[name]
		require.Equal(t, none, j.Permissions, name)
		require.Nil(t, j.Secrets, name)
		require.Nil(t, j.Environment, name)
		for _, env := range append([]map[string]any{j.Env}, envs(j)...) {
			for k, v := range env {
				require.NotRegexp(t, `secrets\.|github\.token|toJSON`, v, "%s: %s", name, k)
			}
		}
	}
}

func envs(j job) []map[string]any {
	var all []map[string]any
	for _, s := range j.Steps {
		all = append(all, s.Env, s.With)
	}
	return all
}

func TestPolicy_TheCoursesOwnTestsMayOnlyRead(t *testing.T) {
	w := load(t, "course.yml")
	require.Equal(t, map[string]any{"contents": "read"}, w.Permissions)
	for name, j := range w.Jobs {
		require.Nil(t, j.Permissions, name)
	}
}

func TestPolicy_NoSecretAnywhere(t *testing.T) {
	for name, data := range texts(t) {
		require.NotContains(t, data, "secrets", name)
	}
}

func TestPolicy_TheJobThatWritesSeesNoPullRequest(t *testing.T) {
	grade := load(t, "grade.yml").Jobs["report"]
	require.Equal(t, "./.github/workflows/report.yml", grade.Uses)
	w := load(t, "report.yml")
	require.Equal(t, none, w.Permissions)
	require.Len(t, w.Jobs, 1)
	j := w.Jobs["comment"]
	may := map[string]any{"contents": "read", "pull-requests": "write"}
	require.Equal(t, may, j.Permissions)
	require.Equal(t, may, grade.Permissions)
	for _, s := range j.Steps {
		require.NotContains(t, s.With, "repository")
		require.NotContains(t, s.With, "allow-unsafe-pr-checkout")
		if strings.HasPrefix(s.Uses, "actions/checkout@") {
			require.Equal(t, "${{ github.event.pull_request.base.sha }}", s.With["ref"])
		}
		if s.Run != "" && !strings.HasSuffix(s.Run, "/report") {
			require.NotContains(t, s.Env, "GITHUB_TOKEN", s.Run)
		}
	}
}

func TestPolicy_APullRequestIsDataBesideTheCourse(t *testing.T) {
	for name, j := range load(t, "grade.yml").Jobs {
		for _, s := range j.Steps {
			if !strings.HasPrefix(s.Uses, "actions/checkout@") {
				continue
			}
			require.Contains(t, []any{"course", "submission"}, s.With["path"], name)
			pr := s.With["path"] == "submission"
			require.Equal(t, pr, s.With["ref"] == "${{ github.event.pull_request.head.sha }}", name)
			require.Equal(t, pr, s.With["allow-unsafe-pr-checkout"] == true, name)
		}
	}
}

var (
	pinned = regexp.MustCompile(`uses: (actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\.github/workflows/report\.yml)$`)
	// What a runner runs. No expression is in it, so no text of a stranger is.
	local = regexp.MustCompile(`^(course/\.github/steps/[a-z]+|\.ci/run|sudo sysctl -q kernel\.[a-z_]+=0)$`)
)

func texts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range []string{"workflows/grade.yml", "workflows/report.yml", "workflows/course.yml", "actions/grade/action.yml"} {
		all[name] = read(t, name, new(any))
	}
	return all
}

func TestPolicy_ActionsArePinned(t *testing.T) {
	commits := map[string]string{}
	for name, data := range texts(t) {
		for line := range strings.Lines(data) {
			line = strings.TrimSpace(line)
			if !strings.Contains(line, "uses:") || strings.HasPrefix(line, "#") {
				continue
			}
			require.Regexp(t, pinned, line, name)
			action, commit, _ := strings.Cut(line[strings.Index(line, "uses:"):], "@")
			if before, ok := commits[action]; ok {
				require.Equal(t, before, commit, "%s: one commit of an action in all files", name)
			}
			commits[action] = commit
		}
	}
}

func TestPolicy_StepsAreCommandsOfTheRepository(t *testing.T) {
	for _, name := range []string{"grade.yml", "report.yml", "course.yml"} {
		for id, j := range load(t, name).Jobs {
			for _, s := range j.Steps {
				if s.Run != "" {
					require.Regexp(t, local, s.Run, "%s: %s", name, id)
				}
			}
			if j.Uses == "" {
				require.Equal(t, "ubuntu-24.04", j.RunsOn, "%s: %s", name, id)
				require.Positive(t, j.Timeout, "%s: %s", name, id)
			}
		}
	}
	var action struct {
		Runs struct{ Steps []step }
	}
	read(t, "actions/grade/action.yml", &action)
	for _, s := range action.Runs.Steps {
		require.NotContains(t, s.Run, "${{")
	}
}

func TestPolicy_NoCredentialsAndNoCachesAreKept(t *testing.T) {
	var all []step
	for _, name := range []string{"grade.yml", "report.yml", "course.yml"} {
		for _, j := range load(t, name).Jobs {
			all = append(all, j.Steps...)
		}
	}
	var action struct {
		Runs struct{ Steps []step }
	}
	read(t, "actions/grade/action.yml", &action)
	work, err := os.ReadFile(filepath.Join(root, "go.work"))
	require.NoError(t, err)
	file, err := modfile.ParseWork("go.work", work, nil)
	require.NoError(t, err)
	for _, s := range append(all, action.Runs.Steps...) {
		name, _, _ := strings.Cut(s.Uses, "@")
		switch name {
		case "actions/checkout":
			require.Equal(t, false, s.With["persist-credentials"])
		case "actions/setup-go":
			require.Equal(t, false, s.With["cache"])
			require.Equal(t, file.Toolchain.Name, "go"+s.With["go-version"].(string))
		case "actions/cache":
			t.Error("a job that runs a stranger's code can write what another job would restore")
		}
	}
}
