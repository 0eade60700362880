package mutate

import (
	"bytes"
	"cmp"
	"go/token"
	"slices"
)

// edit wraps the source between two positions, or replaces it.
type edit struct {
	pos, end       token.Pos
	prefix, suffix string
	replace        bool // what stands between pos and end is dropped
	order          int
}

// edits are changes to one file that nest.
type edits []edit

// wrap puts prefix and suffix around the source from pos to end. Of two wraps
// around the same source, the earlier one is outside.
func (e *edits) wrap(pos, end token.Pos, prefix, suffix string) {
	*e = append(*e, edit{pos: pos, end: end, prefix: prefix, suffix: suffix, order: len(*e)})
}

// replaceWith puts text in place of the source from pos to end.
func (e *edits) replaceWith(pos, end token.Pos, text string) {
	*e = append(*e, edit{pos: pos, end: end, prefix: text, replace: true, order: len(*e)})
}

// insertion is text at an offset of the source; skip bytes of the source that
// follow it are dropped.
type insertion struct {
	at, skip int
	text     string
	closing  bool
	span     int // length of what the edit wraps
	order    int
}

// apply returns src with all edits made.
func (e edits) apply(src []byte, file *token.File) []byte {
	var ins []insertion
	for _, x := range e {
		pos, end := file.Offset(x.pos), file.Offset(x.end)
		if x.replace {
			ins = append(ins, insertion{at: pos, skip: end - pos, text: x.prefix, span: end - pos, order: x.order})
			continue
		}
		ins = append(ins,
			insertion{at: pos, text: x.prefix, span: end - pos, order: x.order},
			insertion{at: end, text: x.suffix, span: end - pos, order: x.order, closing: true})
	}
	slices.SortFunc(ins, func(a, b insertion) int {
		if c := cmp.Compare(a.at, b.at); c != 0 {
			return c
		}
		switch {
		case a.closing && !b.closing:
			return -1
		case !a.closing && b.closing:
			return 1
		case a.closing: // the inner one ends first
			return cmp.Or(cmp.Compare(a.span, b.span), cmp.Compare(b.order, a.order))
		case a.skip > 0 || b.skip > 0: // what is replaced is inside of all
			return cmp.Compare(a.skip, b.skip)
		default: // the outer one begins first
			return cmp.Or(cmp.Compare(b.span, a.span), cmp.Compare(a.order, b.order))
		}
	})
	var out bytes.Buffer
	done := 0
	for _, in := range ins {
		out.Write(src[done:in.at])
		out.WriteString(in.text)
		done = in.at + in.skip
	}
	out.Write(src[done:])
	return out.Bytes()
}
