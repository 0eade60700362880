package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a process that answers requests.
type server struct {
	cmd  *exec.Cmd
	addr string
}

// start runs a program and waits until it has written its address to the file
// that TT_ADDR_FILE names. Its log goes to a file, as it would in production.
func start(dir, program string, env ...string) (*server, error) {
	addrFile := filepath.Join(dir, "addr")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), append(env, "TT_HTTP_ADDR=127.0.0.1:0", "TT_ADDR_FILE="+addrFile)...)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd}
	for range 1000 {
		if content, err := os.ReadFile(addrFile); err == nil {
			var addrs struct{ HTTP string }
			if err := json.Unmarshal(content, &addrs); err != nil {
				return nil, errors.Join(err, s.stop())
			}
			s.addr = addrs.HTTP
			return s, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	said, _ := os.ReadFile(log.Name())
	return nil, errors.Join(fmt.Errorf("%s did not start:\n%s", program, said), s.stop())
}

func (s *server) stop() error {
	return errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait())
}

// ticksPerSecond is the unit of CPU times in /proc, the same on all Linux.
const ticksPerSecond = 100

// cpu returns the CPU time of the process so far, see proc_pid_stat(5).
func (s *server) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name may have spaces
	fields := strings.Fields(string(rest))
	var ticks int
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// bareEnv makes this program the bare server: it names the file whose content
// is the answer.
const bareEnv = "BENCHTRACKER_BARE"

// serveBare answers every request with the same bytes.
func serveBare() error {
	body, err := os.ReadFile(os.Getenv(bareEnv))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", os.Getenv("TT_HTTP_ADDR"))
	if err != nil {
		return err
	}
	addr := fmt.Appendf(nil, `{"http":%q}`, l.Addr())
	temp := os.Getenv("TT_ADDR_FILE") + ".tmp"
	if err := errors.Join(os.WriteFile(temp, addr, 0o600), os.Rename(temp, os.Getenv("TT_ADDR_FILE"))); err != nil {
		return err
	}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}))
}
