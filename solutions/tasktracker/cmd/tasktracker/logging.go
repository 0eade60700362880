//course:since m04a

package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/middle-go/course/tasktracker/config"
)

// secretKeys are attributes whose value never gets into the log, whoever puts
// it there.
var secretKeys = map[string]bool{
	"password":      true,
	"authorization": true,
	"token":         true,
	"access_token":  true,
	"password_hash": true,
}

func newLog(w io.Writer, cfg config.Config) *slog.Logger {
	options := &slog.HandlerOptions{
		Level: cfg.LogLevel,
		ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
			if secretKeys[attr.Key] {
				return slog.String(attr.Key, "***")
			}
			return attr
		},
	}
	if cfg.LogFormat == config.LogText {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// openAccessLog opens the file at path to append to it, or nothing if path is
// empty. Only the owner may read it: it tells who did what.
func openAccessLog(path string) (io.WriteCloser, error) {
	if path == "" {
		return discard{}, nil
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }
