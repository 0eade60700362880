package git

import (
	"bytes"
	"context"
	"slices"
	"strings"
)

// Change is a file that is not what it was.
type Change struct {
	Path string // slash-separated, from the directory of the repository that was opened
	Kind Kind
}

// Kind is what happened to a file.
type Kind string

// What happens to files.
const (
	Added    Kind = "added"
	Changed  Kind = "changed"
	Deleted  Kind = "deleted"
	Retyped  Kind = "became a link or a link no more"
	Unmerged Kind = "has conflicts"
)

var kinds = map[string]Kind{"A": Added, "M": Changed, "D": Deleted, "T": Retyped, "U": Unmerged}

// Changes lists what is different in the work tree from a commit, in the order
// of the paths. Files that git does not track yet are added ones.
func (r *Repo) Changes(ctx context.Context, commit string) ([]Change, error) {
	out, err := r.run(ctx, "diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules", "--relative", commit, "--")
	if err != nil {
		return nil, err
	}
	var all []Change
	fields := records(out)
	for i := 0; i+1 < len(fields); i += 2 {
		all = append(all, Change{Path: fields[i+1], Kind: kinds[fields[i]]})
	}
	out, err = r.run(ctx, "ls-files", "-z", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	for _, name := range records(out) {
		all = append(all, Change{Path: name, Kind: Added})
	}
	slices.SortFunc(all, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// records splits what -z separates.
func records(out []byte) []string {
	if len(out) == 0 {
		return nil
	}
	return strings.Split(string(bytes.TrimSuffix(out, []byte{0})), "\x00")
}
