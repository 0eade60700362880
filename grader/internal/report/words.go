package report

import (
	"strings"
	"unicode"
)

// words splits a name in camel case into lower-case words. Acronyms stay as
// they are, and so do numbers with a unit: LongerThan64K becomes
// "longer than 64K", IDsSortByTime becomes "IDs sort by time".
func words(name string) string {
	var list []string
	for part := range strings.SplitSeq(name, "_") {
		for runes := []rune(part); len(runes) > 0; {
			n := wordLength(runes)
			word := string(runes[:n])
			if !isAcronym(runes[:n]) {
				word = strings.ToLower(word)
			}
			list = append(list, word)
			runes = runes[n:]
		}
	}
	return strings.Join(list, " ")
}

// wordLength is the length of the first word of a non-empty name.
func wordLength(r []rune) int {
	switch upper := count(r, unicode.IsUpper); {
	case unicode.IsDigit(r[0]):
		digits := count(r, unicode.IsDigit)
		unit := count(r[digits:], unicode.IsUpper)
		if digits+unit < len(r) && unicode.IsLower(r[digits+unit]) {
			unit = max(unit-1, 0) // the last capital begins the next word
		}
		return digits + unit
	case upper == len(r):
		return upper
	case upper > 1 && r[upper] == 's' && (upper+1 == len(r) || !unicode.IsLower(r[upper+1])):
		return upper + 1 // the plural of an acronym
	case upper > 1 && unicode.IsLower(r[upper]):
		return upper - 1
	case upper > 1:
		return upper
	default:
		return max(upper+count(r[upper:], func(c rune) bool { return !unicode.IsUpper(c) && !unicode.IsDigit(c) }), 1)
	}
}

func count(r []rune, is func(rune) bool) int {
	n := 0
	for n < len(r) && is(r[n]) {
		n++
	}
	return n
}

// isAcronym reports whether a word is written in capitals: HTTP, IDs, 64K.
func isAcronym(word []rune) bool {
	capitals := count(word, func(c rune) bool { return unicode.IsUpper(c) || unicode.IsDigit(c) })
	return len(word) > 1 && (capitals == len(word) || capitals > 1 && capitals == len(word)-1)
}
