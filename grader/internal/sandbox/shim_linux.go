package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const shimArg = "sandbox-shim"

// stage is what a shim does.
type stage string

const (
	probe     stage = "probe"     // nothing; it only tries what namespaces allow
	supervise stage = "supervise" // start the next stage, and end what it leaves behind
	confine   stage = "confine"   // close the box around itself and become the command
)

// The shim takes over before most of the program's other packages initialise
// themselves, which Go does in the order of their paths: starting
// costs a quarter of the time, and no main can forget it.
func init() {
	if len(os.Args) > 2 && os.Args[1] == shimArg {
		shim()
	}
}

// shim becomes the sandboxed command, or supervises it. It does not return.
func shim() {
	var o order
	if err := json.Unmarshal([]byte(os.Args[2]), &o); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(shimFailed)
	}
	unix.CloseOnExec(o.Status)
	var err error
	switch o.Stage {
	case probe:
		err = settle(o.Reach)
	case supervise:
		err = o.supervise(os.Args[3:])
	case confine:
		err = o.become(os.Args[3:])
	}
	switch {
	case err == nil:
		os.Exit(0)
	case !errors.Is(err, errTold):
		o.report(status{Problem: err.Error()})
	}
	os.Exit(shimFailed)
}

// shimFailed is the exit code of a shim that could not do what it should.
const shimFailed = 120

func (o *order) report(s status) {
	text, _ := json.Marshal(s)
	_, _ = unix.Write(o.Status, text)
}

// become closes the box around this process and turns it into the command. It
// returns only if that fails. The order matters: each wall takes away what the
// ones before it needed.
func (o *order) become(argv []string) error {
	if o.Own {
		if err := settle(o.Reach); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	if err := wallInFiles(argv[0], o.Reach); err != nil {
		return err
	}
	if err := limit(o.Limits); err != nil {
		return err
	}
	if err := filterCalls(o.Reach); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", argv[0], unix.Exec(argv[0], argv, os.Environ()))
}

// openFiles is how many descriptors a command may have.
const openFiles = 4096

func limit(l Limits) error {
	cpu := uint64((l.CPU + time.Second - 1) / time.Second)
	if cpu > 0 {
		cpu++
	}
	for _, r := range []struct {
		name     string
		resource int
		value    uint64
		warning  uint64 // how much less than the hard limit the soft one is
	}{
		{"file size", unix.RLIMIT_FSIZE, l.FileSize, 0},
		{"CPU time", unix.RLIMIT_CPU, cpu, 1}, // SIGXCPU says why, a second before SIGKILL
		{"open files", unix.RLIMIT_NOFILE, openFiles, 0},
		{"address space", unix.RLIMIT_AS, l.Memory, 0},
	} {
		if r.value == 0 {
			continue
		}
		var have unix.Rlimit
		if err := unix.Getrlimit(r.resource, &have); err != nil {
			return fmt.Errorf("limit of %s: %w", r.name, err)
		}
		value := min(r.value, have.Max)
		if err := unix.Setrlimit(r.resource, &unix.Rlimit{Cur: value - r.warning, Max: value}); err != nil {
			return fmt.Errorf("limit of %s: %w", r.name, err)
		}
	}
	return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}
