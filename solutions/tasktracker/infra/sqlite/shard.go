//course:since m05a

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"hash/fnv"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/sqlitedb"
)

// shard is one file of tasks and the statements that every request needs.
type shard struct {
	db                                 *sqlitedb.DB
	insert, get, save, remove, version *sql.Stmt
}

var (
	insertQuery = "INSERT INTO tasks (" + savedColumns + ") VALUES (" + marks(savedCount) + ")"
	saveQuery   = "UPDATE tasks SET (" + savedColumns + ") = (" + marks(savedCount) + ") WHERE owner = ? AND id = ? AND version = ?"
)

const (
	removeQuery  = "DELETE FROM tasks WHERE owner = ? AND id = ? AND (version = ? OR ? = 0)"
	getQuery     = "SELECT " + readColumns + " FROM tasks WHERE owner = ? AND id = ?"
	versionQuery = "SELECT version FROM tasks WHERE owner = ? AND id = ?"
)

func (s *shard) prepare(ctx context.Context) error {
	var errs []error
	prepare := func(db *sql.DB, query string) *sql.Stmt {
		stmt, err := db.PrepareContext(ctx, query)
		errs = append(errs, err)
		return stmt
	}
	s.insert = prepare(s.db.Write, insertQuery)
	s.save = prepare(s.db.Write, saveQuery)
	s.remove = prepare(s.db.Write, removeQuery)
	s.get = prepare(s.db.Read, getQuery)
	s.version = prepare(s.db.Read, versionQuery)
	return errors.Join(errs...)
}

// shardOf returns the number of the shard that a user's tasks are in. It must
// never change: the tasks of yesterday would not be found any more.
func shardOf(owner domain.UserID, shards int) int {
	h := fnv.New64a()
	h.Write([]byte(owner))
	return int(h.Sum64() % uint64(shards))
}
