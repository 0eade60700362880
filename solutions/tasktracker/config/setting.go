//course:since m04a

package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

const prefix = "TT_"

// setting is one value of the configuration and how to read it.
type setting struct {
	name    string // HTTP_ADDR
	meaning string
	set     func(string) error
}

func (s setting) variable() string { return prefix + s.name }

func (s setting) flag() string {
	return strings.ReplaceAll(strings.ToLower(s.name), "_", "-")
}

type settings []setting

func (all settings) find(variable string) (setting, bool) {
	i := slices.IndexFunc(all, func(s setting) bool { return s.variable() == variable })
	if i < 0 {
		return setting{}, false
	}
	return all[i], true
}

// settings are the values of c, in the order of the documentation.
func (c *Config) settings() settings {
	return settings{
		{"HTTP_ADDR", "address to listen on", address(&c.HTTPAddr)},
		{"ADDR_FILE", "file that gets the address once the service accepts connections", text(&c.AddrFile)},
		{"AUTH", "how users are known: token or dev", oneOf(&c.Auth, AuthToken, AuthDev)},
		{"STORE", "where tasks are kept", oneOf(&c.Store, stores...)},
		//course:since m05a
		{"DATA_DIR", "directory of the SQLite files", text(&c.DataDir)},
		{"SHARDS", "number of files that tasks are spread over", number(&c.Shards, 1, 64)},
		//course:end
		{"SWEEP_INTERVAL", "pause between two searches for overdue tasks", duration(&c.SweepInterval, time.Millisecond)},
		{"EXPIRE_GRACE", "how long a task may be overdue until it expires", duration(&c.ExpireGrace, 0)},
		{"PURGE_AFTER", "how long an expired task is kept", duration(&c.PurgeAfter, 0)},
		//course:since m04b
		{"TOKEN_TTL", "how long a session lasts", duration(&c.TokenTTL, time.Millisecond)},
		{"LOGIN_MAX", "attempts to log in that one account has in a window; 0: any number", number(&c.LoginMax, 0, math.MaxInt32)},
		{"LOGIN_WINDOW", "that window", duration(&c.LoginWindow, time.Millisecond)},
		//course:end
		{"MAX_BODY", "largest request body, as in 64KiB", size(&c.MaxBody)},
		{"READ_HEADER_TIMEOUT", "how long a client may take for the headers", duration(&c.ReadHeaderTimeout, time.Millisecond)},
		{"REQUEST_TIMEOUT", "after which a request is given up", duration(&c.RequestTimeout, time.Millisecond)},
		{"SHUTDOWN_TIMEOUT", "how long requests in flight may take when the service stops", duration(&c.ShutdownTimeout, time.Millisecond)},
		{"LOG_LEVEL", "debug, info, warn or error", level(&c.LogLevel)},
		{"LOG_FORMAT", "json or text", oneOf(&c.LogFormat, LogJSON, LogText)},
		{"ACCESS_LOG", "file that gets a line for each request", text(&c.AccessLog)},
	}
}

var stores = []Store{
	StoreMemory,
	//course:since m05a
	StoreSQLite,
	//course:end
}

func text(to *string) func(string) error {
	return func(s string) error {
		*to = s
		return nil
	}
}

func address(to *string) func(string) error {
	return func(s string) error {
		if _, _, err := net.SplitHostPort(s); err != nil {
			return errors.New("not an address such as 127.0.0.1:8080")
		}
		*to = s
		return nil
	}
}

func oneOf[S ~string](to *S, values ...S) func(string) error {
	return func(s string) error {
		if !slices.Contains(values, S(s)) {
			return fmt.Errorf("not one of %v", values)
		}
		*to = S(s)
		return nil
	}
}

func number(to *int, least, most int) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return fmt.Errorf("not a number from %d to %d", least, most)
		}
		*to = n
		return nil
	}
}

func duration(to *time.Duration, least time.Duration) func(string) error {
	return func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil {
			return errors.New("not a duration such as 90s, 15m or 24h")
		}
		if d < least {
			return fmt.Errorf("shorter than %v", least)
		}
		*to = d
		return nil
	}
}

func level(to *slog.Level) func(string) error {
	return func(s string) error {
		if to.UnmarshalText([]byte(s)) != nil {
			return errors.New("not debug, info, warn or error")
		}
		return nil
	}
}

var units = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"B", 1}, {"", 1}}

// maxSize keeps a body that is read into memory from filling it.
const maxSize = 1 << 30

func size(to *int64) func(string) error {
	return func(s string) error {
		for _, unit := range units {
			digits, ok := strings.CutSuffix(s, unit.suffix)
			if !ok {
				continue
			}
			n, err := strconv.ParseInt(digits, 10, 64)
			if err != nil || n < 1 || n > maxSize/unit.bytes {
				break
			}
			*to = n * unit.bytes
			return nil
		}
		return errors.New("not a size such as 65536 or 64KiB, at most 1024MiB")
	}
}
