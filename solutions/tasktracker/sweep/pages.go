//course:since m03b

package sweep

import (
	"context"
	"iter"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

type lister = func(ctx context.Context, before time.Time, limit int) iter.Seq2[*domain.Task, error]

// each calls do for every task that list has, a page at a time, until a page has
// nothing new or ctx is done.
//
// What do leaves in the list is on the next page again, as is what cannot be
// read. So the next page is longer by that much, and nothing hides behind it.
func (r *round) each(ctx context.Context, list lister, before time.Time, do func(context.Context, *domain.Task) (gone bool)) {
	left := make(map[domain.TaskID]bool)
	unreadable := 0
	for news := true; news && ctx.Err() == nil; {
		page, failures := collect(list(ctx, before, r.cfg.Batch+len(left)+unreadable))
		if ctx.Err() != nil {
			return // the page may end with that
		}
		known := min(unreadable, len(failures))
		for _, err := range failures[known:] {
			r.fail(err)
		}
		unreadable += len(failures) - known
		news = len(failures) > known
		for _, t := range page {
			id := t.State().ID
			if left[id] {
				continue
			}
			if ctx.Err() != nil {
				return
			}
			news = true
			if !do(ctx, t) {
				left[id] = true
			}
		}
	}
}

// collect reads a whole page before anything is changed: a store may have one
// connection, and its cursor may not like changes.
func collect(seq iter.Seq2[*domain.Task, error]) (page []*domain.Task, failures []error) {
	for t, err := range seq {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		page = append(page, t)
	}
	return page, failures
}
