-- course:since m05a

-- One row: which part of the tasks is in this file.
CREATE TABLE shard (
    number INTEGER NOT NULL, -- from 0
    count  INTEGER NOT NULL
) STRICT;

-- Times are microseconds since 1970 in UTC.
CREATE TABLE tasks (
    id           TEXT    NOT NULL PRIMARY KEY,
    owner        TEXT    NOT NULL,
    project      TEXT    NOT NULL,          -- '' is in no project
    assignee     TEXT    NOT NULL,          -- '' is nobody
    title        TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    priority     INTEGER NOT NULL,          -- 1 low to 4 urgent
    labels       TEXT    NOT NULL,          -- a JSON array, sorted
    due_at       INTEGER,
    completed_at INTEGER,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,

    -- What a search looks at. LOWER of SQLite knows ASCII only.
    title_lower       TEXT NOT NULL,
    description_lower TEXT NOT NULL,

    -- In a list by due time, tasks without one are last in both directions.
    due_up   INTEGER NOT NULL AS (ifnull(due_at,  9223372036854775807)),
    due_down INTEGER NOT NULL AS (ifnull(due_at, -9223372036854775808))
) STRICT;

-- Lists of one owner.
CREATE INDEX tasks_by_id       ON tasks (owner, id);
CREATE INDEX tasks_by_due_up   ON tasks (owner, due_up, id);
CREATE INDEX tasks_by_due_down ON tasks (owner, due_down, id);
CREATE INDEX tasks_by_priority ON tasks (owner, priority, id);

-- The sweeper's lists of all owners.
CREATE INDEX tasks_overdue ON tasks (due_at, id)
    WHERE status IN ('todo', 'in_progress', 'blocked') AND due_at IS NOT NULL;
CREATE INDEX tasks_expired ON tasks (updated_at, id) WHERE status = 'expired';
