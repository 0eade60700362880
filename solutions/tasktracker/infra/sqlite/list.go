//course:since m05a

package sqlite

import (
	"context"
	"math"
	"strings"

	"github.com/middle-go/course/tasktracker/domain"
)

// List returns the first tasks that match q, at most q.Limit, in the order of
// q.Sort. It reads the owner's tasks in that order from an index, and stops when
// the page is full.
func (r *Tasks) List(ctx context.Context, q domain.TaskQuery) ([]*domain.Task, error) {
	if q.Limit < 1 {
		return []*domain.Task{}, ctx.Err()
	}
	query, args := listQuery(q)
	rows, err := r.shard(q.Owner).rows(ctx, query, args...)
	if err != nil {
		return nil, failed(ctx, err, "list tasks of %s", q.Owner)
	}
	tasks := make([]*domain.Task, len(rows))
	for i := range rows {
		if tasks[i], err = rows[i].task(); err != nil {
			return nil, err
		}
	}
	return tasks, nil
}

// rows returns the rows that a query finds.
func (s *shard) rows(ctx context.Context, query string, args ...any) ([]row, error) {
	found, err := s.db.Read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []row
	for found.Next() {
		var r row
		if err := found.Scan(r.fields()...); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, found.Err()
}

// conditions are joined by AND.
type conditions struct {
	sql  []string
	args []any
}

func (c *conditions) add(sql string, args ...any) {
	c.sql = append(c.sql, sql)
	c.args = append(c.args, args...)
}

// listQuery returns the statement for q and its arguments.
func listQuery(q domain.TaskQuery) (query string, args []any) {
	order := orderOf(q.Sort)
	where := new(conditions)
	where.add("owner = ?", q.Owner)
	where.filter(q, order)
	if !q.After.IsZero() {
		order.after(where, q.After)
	}
	return "SELECT " + readColumns + " FROM tasks WHERE " + strings.Join(where.sql, " AND ") +
		" ORDER BY " + order.by() + " LIMIT ?", append(where.args, q.Limit)
}

// filter adds what [domain.TaskQuery.Matches] asks of a task.
func (c *conditions) filter(q domain.TaskQuery, order order) {
	if len(q.Statuses) > 0 {
		c.add("status IN (" + marks(len(q.Statuses)) + ")")
		for _, s := range q.Statuses {
			c.args = append(c.args, s.String())
		}
	}
	if len(q.Priorities) > 0 {
		c.add("priority IN (" + marks(len(q.Priorities)) + ")")
		for _, p := range q.Priorities {
			c.args = append(c.args, int64(p))
		}
	}
	if q.Label != "" {
		// As it is in the JSON: no stored label has a character to escape, so
		// a text with a quote cannot match the end of one and the next.
		c.add("instr(labels, ?) > 0", jsonOf(q.Label))
	}
	if q.Text != "" {
		text := strings.ToLower(q.Text)
		c.add("(instr(title_lower, ?) > 0 OR instr(description_lower, ?) > 0)", text, text)
	}
	if q.DueBefore != nil {
		c.add(order.due()+" BETWEEN ? AND ?", math.MinInt64+1, microsUp(*q.DueBefore)-1)
	}
	if q.Assignee != "" {
		c.add("assignee = ?", q.Assignee)
	}
	if q.Project != "" {
		c.add("project = ?", q.Project)
	}
}

// order is the order of a list in terms of the table.
type order struct {
	column string // before id; empty: none
	desc   bool
	place  func(domain.Position) int64 // what column has at a position
}

func orderOf(sort domain.Sort) order {
	switch {
	case sort.Field == domain.SortDue && sort.Desc:
		return order{"due_down", true, duePlace(math.MinInt64)}
	case sort.Field == domain.SortDue:
		return order{"due_up", false, duePlace(math.MaxInt64)}
	case sort.Field == domain.SortPriority:
		return order{"priority", sort.Desc, func(p domain.Position) int64 { return int64(p.Priority) }}
	default:
		return order{desc: sort.Desc}
	}
}

// duePlace returns where a task is in a list by due time, if one that is never
// due is at the given place.
func duePlace(never int64) func(domain.Position) int64 {
	return func(p domain.Position) int64 {
		if p.DueAt == nil {
			return never
		}
		return p.DueAt.UnixMicro()
	}
}

// due returns the column to compare due times with. That of the order bounds the
// part of the index that is read. Any other must not make SQLite prefer an index
// of another order, so it is the one that no index of the owner has.
func (o order) due() string {
	if o.column == "due_up" || o.column == "due_down" {
		return o.column
	}
	return "due_at"
}

// by returns the terms of ORDER BY.
func (o order) by() string {
	direction := ""
	if o.desc {
		direction = " DESC"
	}
	if o.column == "" {
		return "id" + direction
	}
	return o.column + direction + ", id" + direction
}

// after adds that a task comes later in the list than a position.
func (o order) after(where *conditions, p domain.Position) {
	compare := " > "
	if o.desc {
		compare = " < "
	}
	if o.column == "" {
		where.add("id"+compare+"?", p.ID)
		return
	}
	where.add("("+o.column+", id)"+compare+"(?, ?)", o.place(p), p.ID)
}
