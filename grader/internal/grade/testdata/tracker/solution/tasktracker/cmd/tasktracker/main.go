// Tasktracker counts over HTTP.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/middle-go/course/tasktracker/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tasktracker:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: routes(new(store.Counter))}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err := announce(os.Getenv("TT_ADDR_FILE"), listener.Addr()); err != nil {
		return err
	}
	<-ctx.Done()
	if err := server.Shutdown(context.Background()); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func routes(c *store.Counter) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /count", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, c.Add())
	})
	return mux
}

func announce(file string, addr net.Addr) error {
	content, err := json.Marshal(map[string]any{"http": addr.String(), "pid": os.Getpid()})
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
