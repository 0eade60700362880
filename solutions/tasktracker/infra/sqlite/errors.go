//course:since m05a

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/middle-go/course/tasktracker/errs"
)

// failed wraps an error of the database with what could not be done, and says
// what kind of failure it is. The error of a context that is done stays what it
// is. A lock that was not free in time, a full or broken disk and a lack of
// memory are Unavailable: nothing is wrong with the request, and it may succeed
// when an operator has seen to it. Everything else, a damaged file and a mistake
// in our SQL among it, is Internal.
func failed(ctx context.Context, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	kind := errs.Internal
	code := 0
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		code = e.Code() & 0xff
		kind = kindOf(code)
	}
	// How it shows that a context has ended a statement or a transaction.
	if ctx.Err() != nil && (code == sqlite3.SQLITE_INTERRUPT || errors.Is(err, sql.ErrTxDone)) {
		err = ctx.Err()
	}
	return errs.E(fmt.Sprintf("sqlite: "+format, args...), kind, err)
}

func kindOf(code int) errs.Kind {
	switch code {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL,
		sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_NOMEM:
		return errs.Unavailable
	default:
		return errs.Internal
	}
}

// taken reports whether a row has not been inserted because one with its key is
// there.
func taken(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE)
}
