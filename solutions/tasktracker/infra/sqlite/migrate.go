//course:since m05a

package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

// The steps from an empty file to the present tables. A step that has been
// released never changes: what is wrong with it, the next one mends.
//
//go:embed migrations
var migrations embed.FS

// migrate brings a file up to date with the steps in a directory of migrations.
// The number of steps that a file has seen is in its user_version. Several
// processes may migrate the same file at the same time: the first one does it,
// in one transaction, and the others wait.
func migrate(ctx context.Context, db *sql.DB, dir string) error {
	files, err := fs.Glob(migrations, "migrations/"+dir+"/*.sql") // sorted
	if err != nil {
		return err
	}
	return inTx(ctx, db, func(tx *sql.Tx) error {
		var done int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&done); err != nil {
			return err
		}
		if done > len(files) {
			return fmt.Errorf("its schema is version %d and this program knows %d: start a newer program", done, len(files))
		}
		for _, file := range files[done:] {
			step, err := migrations.ReadFile(file)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(step)); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		if done == len(files) {
			return nil
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(files)))
		return err
	})
}

// inTx runs f in a transaction. Only statements belong into f: whoever writes to
// the same file waits for its end.
func inTx(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // no effect after Commit
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
