// Wrong: believes that requests end when the listener does.
// Caught by: TestRun_ListenerErrorReturned/with_a_request_in_flight

// Package hardening runs an HTTP server that survives slow clients, greedy
// clients and deploys.
package hardening

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Config holds the limits of a Server. All values are above zero, except
// Notice, which may be zero.
type Config struct {
	ReadHeader time.Duration // for the request line and the headers
	Read       time.Duration // for the whole request, from the same moment; at least ReadHeader
	Write      time.Duration // for the handler and the answer, from the end of the headers
	Idle       time.Duration // for a connection between two requests
	Notice     time.Duration // from not ready until the listener closes
	Drain      time.Duration // for requests in flight, after the listener has closed
	MaxHeader  int           // bytes, plus the 4096 that net/http grants
	MaxBody    int64         // bytes
}

// Server runs a handler within limits. Make one with New.
type Server struct {
	handler http.Handler
	cfg     Config
	ready   atomic.Bool
}

// New returns a server for h.
func New(h http.Handler, cfg Config) *Server {
	return &Server{handler: h, cfg: cfg}
}

// Ready reports whether the load balancer should send requests here: from the
// moment Run serves until its context is done or its listener fails. It is safe
// for concurrent use.
func (s *Server) Ready() bool { return s.ready.Load() }

// Run serves on ln until ctx is done or ln fails, and drains. It is called once.
//
// Once it serves, Run calls ready, which may be nil, and waits for it. Requests
// are answered meanwhile.
//
// When ctx is done, the server is not ready any more. It serves as before for
// Notice, then closes ln, and waits up to Drain for the requests in flight. When
// ln fails before that, there is no Notice. After Drain it closes all
// connections and ends the contexts of the requests. It does not wait for
// handlers that ignore that.
//
// The contexts of the requests have the values of ctx, and outlive it.
//
// The error is nil after a complete drain. It wraps what ln failed with, and
// context.DeadlineExceeded if connections were closed by force.
func (s *Server) Run(ctx context.Context, ln net.Listener, ready func()) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv := &http.Server{
		Handler:           http.HandlerFunc(s.limitBody),
		ReadHeaderTimeout: s.cfg.ReadHeader,
		ReadTimeout:       s.cfg.Read,
		WriteTimeout:      s.cfg.Write,
		IdleTimeout:       s.cfg.Idle,
		MaxHeaderBytes:    s.cfg.MaxHeader,
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	failed := make(chan error, 1)
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
		close(failed)
	}()

	s.ready.Store(true)
	if ready != nil {
		ready()
	}

	var serveErr error
	select {
	case serveErr = <-failed:
		srv.Close()
	case <-ctx.Done():
	}
	s.ready.Store(false)
	if serveErr == nil {
		time.Sleep(s.cfg.Notice)
	}

	drain, stop := context.WithTimeout(base, s.cfg.Drain)
	defer stop()
	drainErr := srv.Shutdown(drain)
	if drainErr != nil {
		srv.Close()
		drainErr = fmt.Errorf("drain: %w", drainErr)
	}
	<-failed // Serve has returned
	return errors.Join(serveErr, drainErr)
}

// limitBody calls the handler with a body of at most MaxBody bytes.
func (s *Server) limitBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > s.cfg.MaxBody {
		http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	s.handler.ServeHTTP(w, r)
}

// Stream exempts h from Write. Its answer may take any time, with pauses of any
// length. Each Write and each Flush of h has stall, and so has what is left when
// h returns: a client that does not read for that long loses its connection. The
// ResponseWriter that h gets is an http.Flusher, and an http.ResponseController
// can flush it and set its read deadline.
func Stream(h http.Handler, stall time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sw := &streamWriter{ResponseWriter: w, conn: http.NewResponseController(w), stall: stall}
		sw.unlimited()
		h.ServeHTTP(sw, r)
		sw.limited()
	})
}

type streamWriter struct {
	http.ResponseWriter
	conn  *http.ResponseController
	stall time.Duration
}

func (w *streamWriter) limited()   { w.conn.SetWriteDeadline(time.Now().Add(w.stall)) }
func (w *streamWriter) unlimited() { w.conn.SetWriteDeadline(time.Time{}) }

func (w *streamWriter) Write(p []byte) (int, error) {
	w.limited()
	defer w.unlimited()
	return w.ResponseWriter.Write(p)
}

func (w *streamWriter) FlushError() error {
	w.limited()
	defer w.unlimited()
	return w.conn.Flush()
}

func (w *streamWriter) Flush() { w.FlushError() }

func (w *streamWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
