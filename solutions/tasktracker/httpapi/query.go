//course:since m04a

package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/web/cursor"
	"github.com/middle-go/course/tasktracker/web/problem"
)

// maxText is the longest text to search for, in runes.
const maxText = 200

// listQuery is the query of a list of tasks.
type listQuery struct {
	domain.TaskQuery
	sort   cursor.Sort
	filter string // all parameters that decide which tasks are listed, and for whom
}

// parseQuery reads the query of r. It accepts no parameter that it does not
// know, and none twice, and reports everything that is wrong at once. An empty
// value is as good as none.
func (a *api) parseQuery(r *http.Request) (listQuery, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return listQuery{}, &httpError{status: http.StatusBadRequest, code: "invalid_query", detail: "The query is not well formed."}
	}
	p := queryParser{values: values}
	p.checkNames()
	q := listQuery{TaskQuery: domain.TaskQuery{
		Statuses:   list(&p, "status", domain.ParseStatus),
		Priorities: list(&p, "priority", domain.ParsePriority),
		Label:      strings.ToLower(p.text("label")),
		Text:       p.text("q"),
		Assignee:   domain.UserID(p.text("assignee")),
		Project:    domain.ProjectID(p.text("project")),
		DueBefore:  p.time("due_before"),
		Limit:      p.limit(),
		Sort:       p.sort(),
	}}
	if len(p.wrong) > 0 {
		return listQuery{}, &httpError{
			status: http.StatusBadRequest,
			code:   "invalid_query",
			detail: "The member errors has the parameters that are wrong.",
			fields: p.wrong,
		}
	}
	q.sort = cursor.Sort{Field: sortNames[q.Sort.Field], Desc: q.Sort.Desc}
	q.filter = string(actor(r)) + "\n" + canonical(values)
	if text := values.Get("cursor"); text != "" {
		cur, err := a.Cursors.Decode(text, q.sort, q.filter)
		if err != nil {
			return listQuery{}, err
		}
		if q.After, err = position(cur.Last, q.Sort.Field); err != nil {
			return listQuery{}, err
		}
	}
	return q, nil
}

var parameters = []string{"status", "priority", "label", "q", "due_before", "assignee", "project", "sort", "limit", "cursor"}

var sortNames = [...]string{
	domain.SortCreated:  "created_at",
	domain.SortDue:      "due_at",
	domain.SortPriority: "priority",
}

// canonical returns the parameters that a cursor belongs to. The size of a page
// may change from one to the next.
func canonical(values url.Values) string {
	filter := url.Values{}
	for name, value := range values {
		if name != "cursor" && name != "limit" {
			filter[name] = value
		}
	}
	return filter.Encode()
}

type queryParser struct {
	values url.Values
	wrong  []problem.FieldError
}

func (p *queryParser) bad(field, code, message string) {
	p.wrong = append(p.wrong, problem.FieldError{Field: field, Code: code, Message: message})
}

func (p *queryParser) checkNames() {
	var names []string
	for name := range p.values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Contains(parameters, name) {
			p.bad(strings.ToValidUTF8(name[:min(len(name), 64)], "?"), "unknown_field", "is no parameter of this list")
		} else if len(p.values[name]) > 1 {
			p.bad(name, "duplicate_key", "is there more than once; separate several values by commas")
		}
	}
}

func (p *queryParser) text(name string) string {
	text := p.values.Get(name)
	if utf8.RuneCountInString(text) > maxText {
		p.bad(name, "too_long", fmt.Sprintf("has more than %d characters", maxText))
	} else if !utf8.ValidString(text) {
		p.bad(name, "bad_characters", "is not UTF-8")
	}
	return text
}

// list reads values that are separated by commas.
func list[T any](p *queryParser, name string, parse func(string) (T, error)) []T {
	text := p.text(name)
	if text == "" {
		return nil
	}
	var all []T
	for part := range strings.SplitSeq(text, ",") {
		value, err := parse(part)
		if err != nil {
			p.bad(name, "unknown_value", "has a value that does not exist")
			return nil
		}
		all = append(all, value)
	}
	return all
}

func (p *queryParser) time(name string) *time.Time {
	text := p.values.Get(name)
	if text == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		p.bad(name, "bad_format", "is not a time of RFC 3339; a plus sign is %2B in a query")
	}
	return &at
}

func (p *queryParser) limit() int {
	text := p.values.Get("limit")
	if text == "" {
		return app.DefaultLimit
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > app.MaxLimit {
		p.bad("limit", "out_of_range", fmt.Sprintf("must be 1 to %d", app.MaxLimit))
	}
	return n
}

func (p *queryParser) sort() domain.Sort {
	text := p.values.Get("sort")
	if text == "" {
		return domain.Sort{}
	}
	name, desc := strings.CutPrefix(text, "-")
	field := slices.Index(sortNames[:], name)
	if field < 0 {
		p.bad("sort", "unknown_value", "must be created_at, due_at or priority, or one of them after a minus sign")
		return domain.Sort{}
	}
	return domain.Sort{Field: domain.SortField(field), Desc: desc}
}

// cursor returns the cursor of a page that begins after last.
func (q listQuery) cursor(last domain.Position) cursor.Cursor {
	key := cursor.Key{ID: string(last.ID)}
	switch q.Sort.Field {
	case domain.SortPriority:
		key.Value = last.Priority.String()
	case domain.SortDue:
		if key.Null = last.DueAt == nil; !key.Null {
			key.Value = last.DueAt.Format(time.RFC3339Nano)
		}
	}
	return cursor.Cursor{Sort: q.sort, Filter: q.filter, Last: key}
}

// position is the inverse of [listQuery.cursor]. The signature of a cursor is
// checked before, so an error means that another version of the service made it.
func position(key cursor.Key, field domain.SortField) (p domain.Position, err error) {
	if p.ID, err = domain.ParseTaskID(key.ID); err != nil {
		return p, fmt.Errorf("%w: %v", cursor.ErrInvalidCursor, err)
	}
	switch {
	case field == domain.SortPriority:
		p.Priority, err = domain.ParsePriority(key.Value)
	case field == domain.SortDue && !key.Null:
		var due time.Time
		due, err = time.Parse(time.RFC3339Nano, key.Value)
		p.DueAt = &due
	}
	if err != nil {
		return p, fmt.Errorf("%w: %v", cursor.ErrInvalidCursor, err)
	}
	return p, nil
}
