package contract

import "regexp"

// internals are what only the people behind a service should read: names of Go
// types, source files, stack traces, texts of the standard library.
var internals = regexp.MustCompile(`\.go:\d+|goroutine \d+|runtime error|panic:|nil pointer` +
	`|Go struct field|Go value|cannot unmarshal|json: |strconv\.|parsing time|strictjson|unexpected EOF` +
	`|\*?\b(domain|app|errs|httpapi|http|url|net|sql|main)\.[A-Z]\w+` +
	`|/(home|root|tmp|usr|work|Users)/|SELECT |INSERT |sql:`)

// Internals returns what an error answer tells about the inside of the service,
// or "".
func (e *Exchange) Internals() string {
	if e.Status < 400 {
		return ""
	}
	return internals.FindString(string(e.Body))
}
