//course:since m04a

// Package server runs an HTTP server that survives slow clients, greedy clients
// and deploys.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Limits are how much a Server gives to one client. All are above zero.
type Limits struct {
	ReadHeader time.Duration // for the request line and the headers
	Request    time.Duration // for a handler; reading and writing have slack beyond it
	Drain      time.Duration // for requests in flight, after the listener has closed
}

const (
	slack     = 5 * time.Second  // for the body of a request, and for an answer
	idle      = 60 * time.Second // of a connection between two requests
	maxHeader = 16 << 10         // bytes, plus the 4096 that net/http grants
)

var errNotServing = errors.New("the server does not take requests")

// Server runs one handler on one listener.
type Server struct {
	listener net.Listener
	http     *http.Server
	drain    time.Duration
	serving  atomic.Bool
}

// New returns a server on l, which must be open. What net/http has to say goes
// to log.
func New(l net.Listener, limits Limits, log *slog.Logger) *Server {
	return &Server{
		listener: l,
		drain:    limits.Drain,
		http: &http.Server{
			ReadHeaderTimeout: limits.ReadHeader,
			ReadTimeout:       limits.ReadHeader + limits.Request + slack,
			WriteTimeout:      limits.Request + slack,
			IdleTimeout:       idle,
			MaxHeaderBytes:    maxHeader,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
	}
}

// Handle sets the handler. It must be called before Run.
func (s *Server) Handle(h http.Handler) { s.http.Handler = h }

// Ready returns nil from the moment Run serves until its context is done.
func (s *Server) Ready(context.Context) error {
	if s.serving.Load() {
		return nil
	}
	return errNotServing
}

// Name implements lifecycle.Service.
func (s *Server) Name() string { return "http" }

// Run serves until ctx is done, and then answers the requests in flight. It
// returns nil if all of them were answered within the limit. It is called once.
//
// The contexts of requests have the values of ctx and outlive it.
func (s *Server) Run(ctx context.Context, ready func()) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s.http.BaseContext = func(net.Listener) context.Context { return base }

	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	s.serving.Store(true)
	ready()

	select {
	case err := <-failed:
		return fmt.Errorf("accept: %w", err)
	case <-ctx.Done():
	}
	s.serving.Store(false)
	drain, stop := context.WithTimeout(base, s.drain)
	defer stop()
	if err := s.http.Shutdown(drain); err != nil {
		s.http.Close()
		return fmt.Errorf("requests still running after %v: %w", s.drain, err)
	}
	return nil
}
