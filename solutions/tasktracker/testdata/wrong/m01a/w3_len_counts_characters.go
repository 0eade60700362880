// Wrong: believes that len counts the characters of a string.
// Caught by: TestTitleRules
// Replaces: domain/text.go

package domain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxTitle       = 200  // runes
	maxDescription = 8000 // runes
	maxLabels      = 16
)

var labelPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

func normalTitle(title string) (string, error) {
	title = strings.TrimSpace(title)
	if title == "" {
		return "", &FieldError{Field: "title", Code: CodeRequired}
	}
	return title, checkText("title", title, maxTitle, unicode.IsControl)
}

func checkDescription(text string) error {
	return checkText("description", text, maxDescription, func(r rune) bool {
		return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
	})
}

func checkText(field, text string, maxRunes int, refused func(rune) bool) error {
	if len(text) > maxRunes {
		return &FieldError{Field: field, Code: CodeTooLong}
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, refused) {
		return &FieldError{Field: field, Code: CodeBadCharacters}
	}
	return nil
}

func normalLabels(labels []string) ([]string, error) {
	normal := make([]string, len(labels))
	for i, label := range labels {
		normal[i] = strings.ToLower(strings.TrimSpace(label))
		if !labelPattern.MatchString(normal[i]) {
			return nil, &FieldError{Field: fmt.Sprintf("labels[%d]", i), Code: CodeBadFormat}
		}
	}
	slices.Sort(normal)
	normal = slices.Compact(normal)
	if len(normal) > maxLabels {
		return nil, &FieldError{Field: "labels", Code: CodeTooMany}
	}
	return normal, nil
}
