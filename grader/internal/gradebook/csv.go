package gradebook

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// writeCSV writes a row for each student, with a column for each exercise. An
// empty cell is an exercise that was never graded.
func (b *Book) writeCSV(w io.Writer) error {
	exercises := b.Exercises()
	head := []string{"student", "passed", "of", "hints", "passed in practice only", "last verdict"}
	for _, e := range exercises {
		head = append(head, e.ID())
	}
	rows := [][]string{head}
	for _, s := range b.Students {
		sum := s.Standing(exercises)
		row := []string{
			cell(s.Name), strconv.Itoa(sum.Passed), strconv.Itoa(sum.Of), strconv.Itoa(sum.Hints),
			strconv.Itoa(sum.Practice), sum.Last.UTC().Format(time.DateOnly),
		}
		for _, e := range exercises {
			row = append(row, s.Mark(e.ID()).Word())
		}
		rows = append(rows, row)
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// formulaStarts are the characters that make a spreadsheet compute a cell, in
// both widths.
const formulaStarts = "=+-@＝＋－＠|%"

// cell makes a stranger's text safe for a spreadsheet: an apostrophe in front
// keeps it from being computed. Where the decimal separator is a comma, a
// spreadsheet cuts at semicolons too, so there are none.
func cell(text string) string {
	text = strings.ReplaceAll(text, ";", ",")
	if first, _ := utf8.DecodeRuneInString(text); strings.ContainsRune(formulaStarts, first) {
		return "'" + text
	}
	return text
}
