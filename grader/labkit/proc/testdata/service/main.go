// Command service behaves in the ways that the tests of package proc need.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	var (
		early = flag.Int("early", -1, "exit with this code before being ready")
		mute  = flag.Bool("mute", false, "never write the address file")
		deaf  = flag.Bool("deaf", false, "ignore SIGTERM")
		child = flag.Bool("child", false, "start a child that listens on the admin address")
		say   = flag.Bool("say", false, "print the address instead of writing the file")
		code  = flag.Int("code", 0, "exit code after SIGTERM")
	)
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))

	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	if *early >= 0 {
		slog.Error("no such store")
		os.Exit(*early)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	addrs := map[string]any{"http": listener.Addr().String(), "grpc": os.Getenv("GRPC"), "pid": os.Getpid()}
	if *child {
		addrs["admin"] = startChild()
	}
	slog.Info("listening", "env", os.Environ())
	switch {
	case *say:
		fmt.Println(listener.Addr())
	case !*mute:
		announce(addrs)
	}
	<-term
	for *deaf {
		<-term
	}
	slog.Info("stopped")
	os.Exit(*code)
}

func announce(addrs map[string]any) {
	content, err := json.Marshal(addrs)
	check(err)
	path := os.Getenv("TT_ADDR_FILE")
	check(os.WriteFile(path+".new", content, 0o600))
	check(os.Rename(path+".new", path))
}

// startChild starts this program again and returns the address of the child.
// The child holds stderr open and ignores SIGTERM.
func startChild() string {
	cmd := exec.Command(os.Args[0], "-deaf", "-say")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	var addr string
	_, err = fmt.Fscanln(out, &addr)
	check(err)
	return addr
}

func check(err error) {
	if err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}
