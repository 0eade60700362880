//course:since m04a

// Package config reads the configuration of the service from the environment
// and the command line.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"
)

// Config is the configuration of the service. [Load] returns it complete and
// valid.
type Config struct {
	HTTPAddr string // host:port; port 0 takes a free one
	AddrFile string // where to write the address that was taken; empty: nowhere
	Auth     Auth

	Store Store
	//course:since m05a
	DataDir string
	Shards  int
	//course:end

	SweepInterval time.Duration
	ExpireGrace   time.Duration
	PurgeAfter    time.Duration

	//course:since m04b
	TokenTTL    time.Duration
	LoginMax    int
	LoginWindow time.Duration
	//course:end

	MaxBody           int64 // bytes
	ReadHeaderTimeout time.Duration
	RequestTimeout    time.Duration
	ShutdownTimeout   time.Duration

	LogLevel  slog.Level
	LogFormat LogFormat
	AccessLog string // path; empty: none

	Unknown []string // variables that begin with TT_ and mean nothing here
}

// Auth is how the service knows who sends a request.
type Auth string

// The ways to know.
const (
	AuthDev   Auth = "dev"   // it believes the header X-TT-User
	AuthToken Auth = "token" // it gives out tokens
)

// Store is where tasks are kept.
type Store string

// The stores.
const (
	StoreMemory Store = "memory"
	//course:since m05a
	StoreSQLite Store = "sqlite"
	//course:end
)

// LogFormat is how log lines look.
type LogFormat string

// The formats of log lines.
const (
	LogJSON LogFormat = "json"
	LogText LogFormat = "text"
)

func defaults() Config {
	return Config{
		HTTPAddr: "127.0.0.1:8080",
		Auth:     AuthToken,
		Store:    StoreMemory,
		//course:since m05a
		DataDir: "tasktracker-data",
		Shards:  1,
		//course:end
		SweepInterval: time.Minute,
		ExpireGrace:   24 * time.Hour,
		PurgeAfter:    30 * 24 * time.Hour,
		//course:since m04b
		TokenTTL:    time.Hour,
		LoginMax:    5,
		LoginWindow: 15 * time.Minute,
		//course:end
		MaxBody:           64 << 10,
		ReadHeaderTimeout: 5 * time.Second,
		RequestTimeout:    15 * time.Second,
		ShutdownTimeout:   20 * time.Second,
		LogLevel:          slog.LevelInfo,
		LogFormat:         LogJSON,
	}
}

// Load returns the configuration: the defaults, replaced by the variables in
// environ (KEY=value, those that begin with TT_), replaced by the flags in args.
// A flag has the name of its variable in kebab case: TT_HTTP_ADDR is -http-addr.
// An empty variable is as good as none.
//
// The error names everything that is wrong, one line each. It is
// [flag.ErrHelp] if args ask for help, which is then written to usage.
func Load(args, environ []string, usage io.Writer) (Config, error) {
	c := defaults()
	//course:since m05a
	c.Store = StoreSQLite
	//course:end
	known := c.settings()
	flags := flag.NewFlagSet("tasktracker serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for _, s := range known {
		flags.Func(s.flag(), s.meaning+" ($"+s.variable()+")", s.set)
	}

	var wrong []error
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(variable, prefix) || value == "" {
			continue
		}
		s, ok := known.find(variable)
		if !ok {
			c.Unknown = append(c.Unknown, variable)
			continue
		}
		if err := s.set(value); err != nil {
			wrong = append(wrong, fmt.Errorf("%s=%q: %w", variable, value, err))
		}
	}
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(usage)
		flags.Usage()
		return Config{}, err
	}
	wrong = append(wrong, err, c.check())
	if flags.NArg() > 0 {
		wrong = append(wrong, fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	}
	if err := errors.Join(wrong...); err != nil {
		return Config{}, err
	}
	return c, nil
}

// check finds values that are right by themselves and wrong together.
func (c *Config) check() error {
	if c.Auth == AuthDev && !loopback(c.HTTPAddr) {
		return fmt.Errorf("TT_AUTH=dev with TT_HTTP_ADDR=%q: everybody who reaches this address could be any user; "+
			"listen on 127.0.0.1 or use TT_AUTH=token", c.HTTPAddr)
	}
	return nil
}

// loopback reports whether only this machine can reach an address.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
