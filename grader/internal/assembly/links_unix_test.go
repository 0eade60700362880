//go:build unix

package assembly_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/middle-go/course/grader/internal/assembly"
)

func symlink(t *testing.T, target, name string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.Symlink(target, name))
}

func TestRead_NeverFollowsLinks(t *testing.T) {
	const file = "module1/week01/ring/ring.go"
	outside := t.TempDir()
	write(t, outside, map[string]string{"week01/ring/ring.go": "package stolen\n"})
	for name, make := range map[string]struct {
		link, target, want string
	}{
		"file":                    {file, outside + "/week01/ring/ring.go", file},
		"file in the same tree":   {file, "other.go", file},
		"link to a directory":     {file, outside, file},
		"link to nothing":         {file, "nowhere", file},
		"link to itself":          {file, "ring.go", file},
		"directory on the path":   {"module1/week01", outside + "/week01", "module1/week01"},
		"first directory":         {"module1", outside, "module1"},
		"directory of the answer": {"module1/week01/ring", "../../solutions/module1/week01/ring", "module1/week01/ring"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, map[string]string{
				"solutions/module1/week01/ring/ring.go": "package answer\n",
				"module1/week01/ring/other.go":          "package other\n",
			})
			full := filepath.Join(root, filepath.FromSlash(make.link))
			require.NoError(t, os.RemoveAll(full))
			symlink(t, make.target, full)
			_, err := assembly.Read(root, t.TempDir(), ring())
			refused(t, err, file+" is not read: "+make.want+" is a symbolic link; put a regular file there")
		})
	}
}

func TestRead_FollowsALinkToTheWholeTree(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{"module1/week01/ring/ring.go": "package ring\n"})
	link := filepath.Join(t.TempDir(), "checkout") // the mentor's own, not the student's
	symlink(t, root, link)
	files, err := assembly.Read(link, t.TempDir(), ring())
	require.NoError(t, err)
	require.Len(t, files, 1)
}

func TestRead_DoesNotWaitForAFIFO(t *testing.T) {
	root := t.TempDir()
	const file = "module1/week01/ring/ring.go"
	full := filepath.Join(root, filepath.FromSlash(file))
	require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
	require.NoError(t, unix.Mkfifo(full, 0o644))
	_, err := assembly.Read(root, t.TempDir(), ring())
	refused(t, err, file+" is not a regular file")
}

func TestRead_NeverFollowsLinksOfAPattern(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, map[string]string{"secret.go": "package stolen\n"})

	root := t.TempDir()
	symlink(t, outside+"/secret.go", filepath.Join(root, "tasktracker/domain/task.go"))
	_, err := assembly.Read(root, t.TempDir(), task("domain/*.go"))
	refused(t, err, "tasktracker/domain/task.go is not read: tasktracker/domain/task.go is a symbolic link; put a regular file there")

	root = t.TempDir()
	symlink(t, outside, filepath.Join(root, "tasktracker/domain"))
	_, err = assembly.Read(root, t.TempDir(), task("domain/*.go"))
	refused(t, err, "tasktracker/domain/secret.go is not read: tasktracker/domain is a symbolic link; put a regular file there")
}

func TestRead_RefusesNamesThatWouldDamageAReport(t *testing.T) {
	for _, name := range []string{"a\x1b[2J.go", "a\nb.go", "a\u202eog.go", "a\xff.go"} {
		root := t.TempDir()
		write(t, root, map[string]string{"tasktracker/domain/" + name: ""})
		_, err := assembly.Read(root, t.TempDir(), task("domain/*.go"))
		var rejected *assembly.RejectedError
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, "has a name that cannot be printed; rename it", rejected.Reason)
		require.NotContains(t, rejected.File, name)
	}
}

func TestWrite_ReplacesPlantedLinksAndNeverFollowsThem(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, map[string]string{"go.mod": "precious\n", "dir/go.mod": "precious\n"})
	for _, link := range []struct{ name, target string }{
		{"plain/module1/go.mod", outside + "/go.mod"},
		{"plain/module1/new.txt", outside + "/new.txt"},
		{"plain/module1", outside + "/dir"},
		{"plain", outside},
		{"plain.run", outside},
		{"plain.run/testdata", outside + "/dir"},
	} {
		t.Run(link.name, func(t *testing.T) {
			dir := t.TempDir()
			symlink(t, link.target, filepath.Join(dir, filepath.FromSlash(link.name)))
			tree, err := plan(t, ring(), assembly.CourseTests).Write(dir, "plain")
			require.NoError(t, err)
			require.Equal(t, planned, content(t, tree.Root))
			require.Equal(t, map[string]string{"testdata/want": "42\n"}, content(t, tree.Data))
			require.Equal(t, map[string]string{"go.mod": "precious\n", "dir/go.mod": "precious\n"}, content(t, outside))
		})
	}
}

func TestWrite_ReplacesAFIFO(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "plain", "module1"), 0o755))
	require.NoError(t, unix.Mkfifo(filepath.Join(dir, "plain", "module1", "go.mod"), 0o644))
	tree, err := plan(t, ring(), assembly.CourseTests).Write(dir, "plain")
	require.NoError(t, err)
	require.Equal(t, planned, content(t, tree.Root))
}

func TestRead_RefusesADirectoryThatItCannotLookInto(t *testing.T) {
	for name, rule := range map[string]string{
		"a\xffb":         "has a name that cannot be printed; rename it",
		"a\x1b[2J":       "",
		"a\u00a0b/c.txt": "",
	} {
		root := t.TempDir()
		write(t, root, map[string]string{"tasktracker/domain/task.go": "", "tasktracker/" + name + "/notes.txt": ""})
		_, err := assembly.Read(root, t.TempDir(), api())
		if rule == "" {
			require.NoError(t, err)
			continue
		}
		refused(t, err, strconv.Quote("tasktracker/"+name)+" "+rule)
	}
	root := t.TempDir()
	write(t, root, map[string]string{"tasktracker/domain/task.go": ""})
	symlink(t, root, filepath.Join(root, "tasktracker", "a\x1b[2J"))
	_, err := assembly.Read(root, t.TempDir(), api())
	refused(t, err, `"tasktracker/a\x1b[2J" has a name that cannot be printed; rename it`)
}

func TestRead_TwoStarsFollowNoLink(t *testing.T) {
	elsewhere := t.TempDir()
	write(t, elsewhere, map[string]string{"app.go": "package app\n"})
	root := t.TempDir()
	write(t, root, map[string]string{"tasktracker/domain/task.go": ""})
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(root, "tasktracker", "app")))
	_, err := assembly.Read(root, t.TempDir(), api())
	refused(t, err, "tasktracker/app is not read: it is a symbolic link; put a directory there")

	root = t.TempDir()
	write(t, root, map[string]string{"tasktracker/domain/task.go": ""})
	require.NoError(t, os.Symlink(filepath.Join(elsewhere, "app.go"), filepath.Join(root, "tasktracker", "app.go")))
	_, err = assembly.Read(root, t.TempDir(), api())
	refused(t, err, "tasktracker/app.go is not read: tasktracker/app.go is a symbolic link; put a regular file there")
}
