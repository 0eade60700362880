package report

import (
	"slices"
	"strings"
)

// practice says of a summary with practice verdicts that it has them, and why.
// It is empty when every submission ran in the whole box.
func (s *Summary) practice() string {
	var lacks []string
	for _, v := range s.all() {
		for _, l := range v.Lacks {
			if !slices.Contains(lacks, l) {
				lacks = append(lacks, l)
			}
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return "This is a practice verdict: the box on this machine lacks " + enumerated(lacks) + "."
}

// enumerated joins a list as a sentence does.
func enumerated(list []string) string {
	last := len(list) - 1
	if last < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:last], ", ") + " and " + list[last]
}
