package similar

import (
	"cmp"
	"slices"
)

// place is where a run begins.
type place struct{ text, at int }

// index finds the places of a run of n tokens.
type index struct {
	n      int
	texts  []text
	places map[uint64][]place
}

func newIndex(texts []text, n int) *index {
	x := &index{n: n, texts: texts, places: map[uint64][]place{}}
	for i, t := range texts {
		for at := 0; at+n <= len(t.lexemes); at++ {
			h := hash(t.lexemes[at : at+n])
			if len(x.places[h]) < candidates {
				x.places[h] = append(x.places[h], place{i, at})
			}
		}
	}
	return x
}

func hash(run []lexeme) uint64 {
	h := uint64(len(run))
	for _, l := range run {
		h = (h ^ l.hash) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	return h
}

// longest returns the longest passage that begins at t.lexemes[at], and its
// length, which is 0 if there is none.
func (x *index) longest(t text, at int) (Passage, int) {
	var best place
	length := 0
	for _, p := range x.places[hash(t.lexemes[at:at+x.n])] {
		if n := common(t.lexemes[at:], x.texts[p.text].lexemes[p.at:]); n >= x.n && n > length {
			best, length = p, n
		}
	}
	if length == 0 {
		return Passage{}, 0
	}
	there := x.texts[best.text]
	return Passage{
		Tokens: length,
		Here:   span(t, at, length),
		There:  span(there, best.at, length),
	}, length
}

func common(a, b []lexeme) int {
	n := 0
	for n < len(a) && n < len(b) && a[n].hash == b[n].hash {
		n++
	}
	return n
}

func span(t text, at, n int) Span {
	return Span{t.path, t.lexemes[at].line, t.lexemes[at+n-1].line}
}

// without returns the parts of texts that hold no run of x. A part ends where
// something was left out, so that no run reaches across.
func without(texts []text, x *index) []text {
	var parts []text
	for _, t := range texts {
		given := make([]bool, len(t.lexemes))
		for at := 0; at+x.n <= len(t.lexemes); at++ {
			if len(x.places[hash(t.lexemes[at:at+x.n])]) > 0 {
				for i := range x.n {
					given[at+i] = true
				}
			}
		}
		for at := 0; at < len(given); {
			end := at
			for end < len(given) && given[end] == given[at] {
				end++
			}
			if !given[at] {
				parts = append(parts, text{t.path, t.lexemes[at:end]})
			}
			at = end
		}
	}
	return parts
}

func sortPassages(list []Passage) {
	slices.SortStableFunc(list, func(a, b Passage) int {
		return cmp.Or(cmp.Compare(b.Tokens, a.Tokens), cmp.Compare(a.Here.Path, b.Here.Path), cmp.Compare(a.Here.First, b.Here.First))
	})
}
