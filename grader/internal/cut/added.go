package cut

import (
	"fmt"
	"path"
	"strings"
)

// Lines are lines of files: their numbers, from 1, by the path of the file.
type Lines map[string]map[int]bool

// Added returns the lines of Go files in the cut of the milestone id that have
// come with it. Numbers are those of the cut.
func (r Reference) Added(id string) (Lines, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	_, texts, err := r.read()
	if err != nil {
		return nil, err
	}
	added := Lines{}
	for name, t := range texts {
		if path.Ext(name) != ".go" || t.since > id {
			continue
		}
		if added[name], err = t.added(id); err != nil {
			return nil, err
		}
	}
	return added, nil
}

// added returns the numbers of the lines in the cut of a milestone that have
// come with it. gofmt adds and removes empty lines and aligns the others, so the
// lines of the cut are the kept ones in their order.
func (t *text) added(id string) (map[int]bool, error) {
	kept, err := t.kept(id)
	if err != nil {
		return nil, err
	}
	content, err := t.format(kept)
	if err != nil {
		return nil, err
	}
	added := map[int]bool{}
	next, number := 0, 0
	for l := range strings.Lines(string(content)) {
		number++
		if bare(l) == "" {
			continue
		}
		for next < len(kept) && bare(kept[next].text) == "" {
			next++
		}
		if next == len(kept) || bare(kept[next].text) != bare(l) {
			return nil, fmt.Errorf("%s: gofmt rewrites line %d of the cut of %s; give the reference that form", t.name, number, id)
		}
		if came := kept[next].since; came == id || came == "" && t.since == id {
			added[number] = true
		}
		next++
	}
	return added, nil
}

// bare is a line without its white space.
func bare(l string) string { return strings.Join(strings.Fields(l), "") }
