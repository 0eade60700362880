//course:since m05a

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

func TestFailed_SaysWhatKindOfFailureItIs(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		err  error
		kind errs.Kind
		is   error
	}{
		"end of a context in a transaction": {canceled, sql.ErrTxDone, errs.Canceled, context.Canceled},
		"end of a transaction by mistake":   {t.Context(), sql.ErrTxDone, errs.Internal, sql.ErrTxDone},
		"no connection in time":             {canceled, context.DeadlineExceeded, errs.Timeout, context.DeadlineExceeded},
		"nothing found":                     {t.Context(), domain.ErrNotFound, errs.Internal, domain.ErrNotFound},
	} {
		err := failed(tc.ctx, tc.err, "read %s", "it")
		if errs.KindOf(err) != tc.kind || !errors.Is(err, tc.is) {
			t.Errorf("%s: got %v of kind %v, want %v of kind %v", name, err, errs.KindOf(err), tc.is, tc.kind)
		}
	}
	if err := failed(canceled, nil, "read"); err != nil {
		t.Errorf("nothing has failed: got %v", err)
	}
}

// A statement that runs is interrupted, and the connection is of use afterwards.
func TestFailed_AnInterruptIsTheEndOfTheContext(t *testing.T) {
	store, err := Open(t.Context(), t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
	for _, db := range []*sql.DB{store.accounts.Read, store.accounts.Write} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- inTx(ctx, db, func(tx *sql.Tx) error {
				cancel()
				return tx.QueryRowContext(ctx, endless).Scan(new(int))
			})
		}()
		if err := failed(ctx, <-done, "count"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if err := db.PingContext(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
