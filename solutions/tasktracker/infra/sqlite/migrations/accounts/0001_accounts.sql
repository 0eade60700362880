-- course:since m05a

-- Times are microseconds since 1970 in UTC.
CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE, -- in lower case
    name          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_end ON sessions (expires_at);

-- One row for each attempt to log in that still counts.
CREATE TABLE attempts (
    key        TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_by_key ON attempts (key, at);
CREATE INDEX attempts_by_end ON attempts (expires_at);

-- Answers to requests with an Idempotency-Key. While the request runs, status,
-- header and body are NULL.
CREATE TABLE idempotency_keys (
    scope       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    lease       INTEGER NOT NULL,
    status      INTEGER,
    header      TEXT, -- a JSON object of arrays
    body        BLOB,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);

-- Random keys that all processes share.
CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    key  BLOB NOT NULL
) STRICT;
