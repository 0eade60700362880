// Tasktracker is the task service. So far it is a walking skeleton: it starts,
// tells whether it is alive, and stops without dropping a request.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	defaultHTTPAddr   = "127.0.0.1:8080"
	readHeaderTimeout = 5 * time.Second
	shutdownTimeout   = 20 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "tasktracker:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done, then waits for the requests in flight. It
// returns nil if all of them were answered.
func run(ctx context.Context, env func(string) string) error {
	listener, err := net.Listen("tcp", cmp.Or(env("TT_HTTP_ADDR"), defaultHTTPAddr))
	if err != nil {
		return fmt.Errorf("TT_HTTP_ADDR: %w", err)
	}
	defer listener.Close() // Shutdown closes it first, except after an error below

	if path := env("TT_ADDR_FILE"); path != "" {
		if err := writeAddrFile(path, listener.Addr()); err != nil {
			return fmt.Errorf("TT_ADDR_FILE: %w", err)
		}
	}

	server := &http.Server{Handler: routes(), ReadHeaderTimeout: readHeaderTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("requests still running after %v: %w", shutdownTimeout, err)
	}
	return nil
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("/", notImplemented)
	return mux
}

// problem is the body of an error answer, see RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

func notImplemented(w http.ResponseWriter, _ *http.Request) {
	const status = http.StatusNotImplemented
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(problem{
		Type:   "https://tasktracker.example/problems/not_implemented",
		Title:  http.StatusText(status),
		Status: status,
		Detail: "This part of the service is not written yet.",
		Code:   "not_implemented",
	})
}
