package export

import (
	"context"
	"crypto/sha256"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/middle-go/course/grader/internal/git"
)

// Proof says what was looked at, and what of the solutions is left.
type Proof struct {
	Files    int
	Objects  map[string]int // of git, by type: all that its store has
	Leaks    []Leak
	Unlooked []string // files and objects that nobody can look into
}

// Leak is something of a solution.
type Leak struct {
	Where string // a file, or an object of git
	Match Match
}

// Clean reports whether nothing is left and everything was looked into.
func (p *Proof) Clean() bool { return len(p.Leaks)+len(p.Unlooked) == 0 }

// largest is the size from which on a file or an object is not looked into.
const largest = 16 << 20

// Check looks for secrets in the files below dir, in all objects of its git
// repository, reachable or not, and in the names of both. Files that git ignores
// are in no repository and not looked at. A directory that is none has no objects.
// Text that is compressed, encrypted or encoded cannot be seen through: such files
// are listed, unless they are the course's.
func Check(ctx context.Context, s *Secrets, dir string) (*Proof, error) {
	p := &Proof{}
	c := checker{s: s, proof: p, known: map[[sha256.Size]byte]*Match{}}
	file := func(name string, content []byte) error {
		p.Files++
		c.look(name, name, content)
		return ctx.Err()
	}
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil {
		return p, eachFile(dir, file)
	}
	repo, err := git.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := workTree(ctx, repo, dir, file); err != nil {
		return nil, err
	}
	p.Objects = map[string]int{}
	return p, repo.Objects(ctx, largest, func(o git.Object) error {
		p.Objects[o.Type]++
		where := o.Type + " " + o.ID
		if o.Type == "tree" && o.Content != nil {
			c.names(where, o.Names())
		} else {
			c.look(where, "", o.Content)
		}
		return ctx.Err()
	})
}

// workTree calls f for the files that could be committed.
func workTree(ctx context.Context, repo *git.Repo, dir string, f func(name string, content []byte) error) error {
	names, err := repo.Files(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if info, err := os.Lstat(full); err != nil || !info.Mode().IsRegular() {
			continue // deleted, a link or a repository
		}
		content, err := os.ReadFile(full)
		if err != nil {
			return err
		}
		if err := f(name, content); err != nil {
			return err
		}
	}
	return nil
}

// checker looks at every content once.
type checker struct {
	s     *Secrets
	proof *Proof
	known map[[sha256.Size]byte]*Match
}

// names looks at the names in a tree of git.
func (c *checker) names(where string, names []string) {
	for _, name := range names {
		if c.s.names[name] || name == "solutions" {
			c.proof.Leaks = append(c.proof.Leaks, Leak{where, Match{Secret: "the name " + name}})
		}
	}
}

func (c *checker) look(where, name string, content []byte) {
	if content == nil || len(content) > largest {
		c.proof.Unlooked = append(c.proof.Unlooked, where)
		return
	}
	sum := sha256.Sum256(content)
	if !utf8.Valid(content) {
		if !c.s.public[sum] {
			c.proof.Unlooked = append(c.proof.Unlooked, where)
		}
		return
	}
	m, ok := c.known[sum]
	if !ok {
		m = c.s.Look(content)
		c.known[sum] = m
	}
	switch {
	case m != nil:
		c.proof.Leaks = append(c.proof.Leaks, Leak{where, *m})
	case strings.HasPrefix(name, "solutions/"), strings.Contains("/"+name, wrongDir):
		c.proof.Leaks = append(c.proof.Leaks, Leak{where, Match{Secret: "a place of solutions"}})
	default:
		c.names(where, []string{path.Base(name)})
	}
}
