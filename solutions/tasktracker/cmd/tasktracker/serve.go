//course:since m04a

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"

	"github.com/middle-go/course/tasktracker/app"
	"github.com/middle-go/course/tasktracker/config"
	"github.com/middle-go/course/tasktracker/httpapi"
	"github.com/middle-go/course/tasktracker/infra/eventlog"
	"github.com/middle-go/course/tasktracker/infra/password"
	"github.com/middle-go/course/tasktracker/infra/system"
	"github.com/middle-go/course/tasktracker/lifecycle"
	"github.com/middle-go/course/tasktracker/sweep"
	"github.com/middle-go/course/tasktracker/web/cursor"
	"github.com/middle-go/course/tasktracker/web/server"
)

// serve runs the service until ctx is done. The log goes to logs.
func serve(ctx context.Context, cfg config.Config, logs io.Writer) (err error) {
	log := newLog(logs, cfg)
	accessLog, err := openAccessLog(cfg.AccessLog)
	if err != nil {
		return fmt.Errorf("TT_ACCESS_LOG: %w", err)
	}
	defer accessLog.Close()

	stores, err := openStores(ctx, cfg)
	if err != nil {
		return err
	}
	defer stores.Close()

	listener, err := net.Listen("tcp", cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("TT_HTTP_ADDR: %w", err)
	}
	defer listener.Close() // the server closes it first, except after an error below

	events := eventlog.Events{Log: log}
	front := server.New(listener, server.Limits{
		ReadHeader: cfg.ReadHeaderTimeout,
		Request:    cfg.RequestTimeout,
		Drain:      cfg.ShutdownTimeout,
	}, log)
	api, err := newAPI(ctx, cfg, stores, httpapi.Config{
		Tasks:          app.NewTasks(stores.tasks, system.Clock{}, system.IDs{}, events),
		Idempotency:    stores.idempotency,
		Log:            log,
		AccessLog:      accessLog,
		Now:            system.Clock{}.Now,
		Ready:          front.Ready,
		MaxBody:        cfg.MaxBody,
		RequestTimeout: cfg.RequestTimeout,
	})
	if err != nil {
		return err
	}
	front.Handle(api)

	sweeper := sweep.New(stores.tasks, events, system.Clock{}, sweep.Config{
		Every:      cfg.SweepInterval,
		Grace:      cfg.ExpireGrace,
		PurgeAfter: cfg.PurgeAfter,
		Batch:      sweepBatch,
		Report:     reportSweep(log),
	})
	for _, name := range cfg.Unknown {
		log.Warn("unknown variable", "name", name)
	}
	log.Info("listening", "addr", listener.Addr().String(), "store", cfg.Store, "auth", cfg.Auth)
	services := []lifecycle.Service{
		sweeper,
		front,
		&announcer{path: cfg.AddrFile, http: listener.Addr()},
	}
	return lifecycle.Run(ctx, services, lifecycle.StopTimeout(cfg.ShutdownTimeout+stopSlack))
}

// reportSweep tells the log of rounds that did something or failed.
func reportSweep(log *slog.Logger) func(sweep.Stats, error) {
	return func(stats sweep.Stats, err error) {
		switch {
		case err != nil:
			log.Error("sweep", "error", err, "expired", stats.Expired, "purged", stats.Purged, "failed", stats.Failed)
		case stats != sweep.Stats{}:
			log.Info("sweep", "expired", stats.Expired, "purged", stats.Purged)
		}
	}
}

// newAPI completes the configuration of the API.
func newAPI(ctx context.Context, cfg config.Config, stores *stores, api httpapi.Config) (http.Handler, error) {
	key, err := stores.secret(ctx, "cursor")
	if err != nil {
		return nil, fmt.Errorf("key of the cursors: %w", err)
	}
	if api.Cursors, err = cursor.NewCodec(key); err != nil {
		return nil, err
	}
	//course:since m04b
	api.TrustDev = cfg.Auth == config.AuthDev
	api.Accounts, err = app.NewAccounts(ctx, app.AccountPorts{
		Users:     stores.users,
		Sessions:  stores.sessions,
		Attempts:  stores.attempts,
		Passwords: password.New(password.Default),
		IDs:       system.IDs{},
		Clock:     system.Clock{},
	}, app.AccountRules{TokenTTL: cfg.TokenTTL, LoginMax: cfg.LoginMax, LoginWindow: cfg.LoginWindow})
	if err != nil {
		return nil, err
	}
	//course:end
	return httpapi.New(api), nil
}
