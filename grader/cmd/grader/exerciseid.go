package main

import (
	"path/filepath"
	"regexp"
)

// exerciseDir is the directory of an exercise, from the root of the course.
var exerciseDir = regexp.MustCompile(`^module\d/(week\d\d/[^/]+)/?$`)

// exerciseID returns the ID that an argument names: an ID, or the directory of
// an exercise, which is what an editor knows of the file in it.
func exerciseID(arg string) string {
	if m := exerciseDir.FindStringSubmatch(filepath.ToSlash(arg)); m != nil {
		return m[1]
	}
	return arg
}
