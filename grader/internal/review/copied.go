package review

import (
	"os"
	"path"
	"path/filepath"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/similar"
)

// copied compares the student's files with the reference. It is nil where there
// is none.
func copied(solutions, courseRoot string, ex *course.Exercise, files, given []assembly.File) (*similar.Match, error) {
	if _, err := os.Stat(filepath.Join(solutions, filepath.FromSlash(ex.FilesDir()))); err != nil {
		return nil, nil
	}
	reference, err := assembly.Read(solutions, courseRoot, ex)
	if err != nil {
		return nil, err
	}
	m := similar.Compare(sources(files), sources(reference), sources(given))
	return &m, nil
}

func sources(files []assembly.File) []similar.Source {
	var list []similar.Source
	for _, f := range files {
		if path.Ext(f.Path) == ".go" {
			list = append(list, similar.Source{Path: f.Path, Content: f.Content})
		}
	}
	return list
}
