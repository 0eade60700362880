package sandbox_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/middle-go/course/grader/internal/sandbox"
)

// attacks are what a boxed process tries, each with one argument. Nil means that
// it succeeded.
var attacks = map[string]func(arg string) error{
	"read":  func(name string) error { _, err := os.ReadFile(name); return err },
	"list":  func(name string) error { _, err := os.ReadDir(name); return err },
	"write": func(name string) error { return os.WriteFile(name, []byte("x"), 0o600) },
	"append": func(name string) error {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString("x")
		return err
	},
	"remove":   os.RemoveAll,
	"truncate": func(name string) error { return os.Truncate(name, 0) },
	"symlink":  func(name string) error { return os.Symlink("/etc/passwd", name) },
	"exec":     func(name string) error { return exec.Command(name).Run() },
	"become":   func(name string) error { return unix.Exec(name, []string{name}, nil) },
	"again":    func(string) error { self, _ := os.Executable(); return exec.Command(self, "-test.run=^$").Run() },
	"memfd":    func(string) error { _, err := unix.MemfdCreate("x", 0); return err },
	"kill": func(pid string) error {
		n, err := strconv.Atoi(pid)
		if err != nil {
			return err
		}
		return unix.Kill(n, 0)
	},
	"kill parent": func(string) error { return unix.Kill(os.Getppid(), unix.SIGCONT) },
	"signal self": func(string) error { return unix.Kill(os.Getpid(), 0) },
	"limit": func(pid string) error {
		n, err := strconv.Atoi(pid)
		if err != nil {
			return err
		}
		var l unix.Rlimit
		return unix.Prlimit(n, unix.RLIMIT_CORE, nil, &l)
	},
	"ptrace":    func(pid string) error { n, _ := strconv.Atoi(pid); return unix.PtraceAttach(n) },
	"namespace": func(string) error { return unix.Unshare(unix.CLONE_NEWUSER) },
	"mount":     func(dir string) error { return unix.Mount("tmpfs", dir, "tmpfs", 0, "") },
	"io_uring": func(string) error {
		_, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
		if errno == unix.EPERM {
			return errno
		}
		return nil
	},
	"write code": func(string) error {
		page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			return nil
		}
		return unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC)
	},
	"map code": func(string) error {
		_, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
		return err
	},
	"dial tcp":   dial("tcp"),
	"send udp":   send,
	"dial unix":  dial("unix"),
	"netlink":    func(string) error { _, err := net.Interfaces(); return err },
	"listen":     func(string) error { _, err := net.Listen("tcp", "127.0.0.1:0"); return err },
	"talk":       func(string) error { return talk() },
	"capability": func(string) error { return unix.Sethostname([]byte("x")) },
	"fill": func(dir string) error {
		for i := range 1 << 10 {
			if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), make([]byte, 1<<20), 0o600); err != nil {
				return err
			}
		}
		return nil
	},
}

func dial(network string) func(string) error {
	return func(address string) error {
		c, err := net.Dial(network, address)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("secret"))
		return err
	}
}

// send sends a datagram to a listener that acknowledges it, if it comes.
func send(address string) error {
	c, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err = c.Write([]byte("secret")); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 1)) // refused, where nobody listens
	return err
}

// talk sends a byte over loopback from one end to the other.
func talk() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		if c, err := l.Accept(); err == nil {
			c.Write([]byte("x"))
			c.Close()
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	_, err = io.ReadFull(c, make([]byte, 1))
	return err
}

// attack carries out attacks if this process was started for that, and writes a
// line on each.
func attack() {
	if len(os.Args) < 2 || os.Args[1] != "attack" {
		return
	}
	for pair := range slices.Chunk(os.Args[2:], 2) {
		err := attacks[pair[0]](pair[1])
		fmt.Println(strings.ReplaceAll(fmt.Sprint(err), "\n", " "))
	}
	os.Exit(0)
}

// stopped runs attacks, each a name and an argument, in a box, and says of each
// what stopped it: "<nil>" if nothing did.
func stopped(t *testing.T, reach sandbox.Reach, list ...[2]string) []string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	args := []string{self, "attack"}
	for _, a := range list {
		require.Contains(t, attacks, a[0])
		args = append(args, a[0], a[1])
	}
	r, err := sandbox.Run(t.Context(), sandbox.Command{
		Args: args, Dir: "/", Env: []string{"PATH=/usr/bin:/bin", quick}, Reach: reach,
		Limits: sandbox.Limits{FileSize: 8 << 20},
	})
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "%s %s", r.End, r.Output)
	lines := strings.Split(strings.TrimSpace(string(r.Output)), "\n")
	require.Len(t, lines, len(list), string(r.Output))
	return lines
}

// outside is what a box must keep its command from, and what it may touch.
type outside struct{ dir, file, own, tcp, udp, unix, pid string }

func newOutside(t *testing.T) outside {
	t.Helper()
	o := outside{dir: t.TempDir(), own: t.TempDir(), pid: strconv.Itoa(os.Getpid())}
	o.file = filepath.Join(o.dir, "secret")
	require.NoError(t, os.WriteFile(o.file, []byte("secret"), 0o600))
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { tcp.Close() })
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { udp.Close() })
	go func() {
		if _, from, err := udp.ReadFrom(make([]byte, 9)); err == nil {
			udp.WriteTo([]byte("x"), from)
		}
	}()
	o.unix = filepath.Join(o.own, "sock") // even where the command may write
	socket, err := net.Listen("unix", o.unix)
	require.NoError(t, err)
	t.Cleanup(func() { socket.Close() })
	o.tcp, o.udp = tcp.Addr().String(), udp.LocalAddr().String()
	return o
}

func TestBox_KeepsACommandFromWhatIsOutsideItsReach(t *testing.T) {
	o := newOutside(t)
	for name, reach := range map[string]sandbox.Reach{
		"alone":    {},
		"writes":   {Write: []string{o.own}},
		"loopback": {Loopback: true},
		"family":   {Children: true, Loopback: true, Write: []string{o.own}},
	} {
		eachBox(t, name, func(t *testing.T) {
			list := [][2]string{
				{"read", o.file}, {"list", o.dir}, {"read", "/etc/passwd"}, {"read", "/proc/" + o.pid + "/environ"},
				{"write", filepath.Join(o.dir, "new")}, {"append", o.file}, {"truncate", o.file}, {"remove", o.file},
				{"symlink", filepath.Join(o.dir, "link")}, {"write", "/proc/self/mem"},
				{"exec", "/bin/true"}, {"become", "/bin/true"}, {"memfd", ""},
				{"kill", o.pid}, {"kill parent", ""}, {"limit", o.pid}, {"ptrace", o.pid},
				{"namespace", ""}, {"mount", o.own}, {"io_uring", ""}, {"capability", ""}, {"write code", ""}, {"map code", ""},
				{"dial unix", o.unix}, {"netlink", ""},
			}
			if !reach.Loopback || sandbox.Namespaces() == nil { // else Lacks says so
				list = append(list, [2]string{"dial tcp", o.tcp}, [2]string{"send udp", o.udp})
			}
			for i, by := range stopped(t, reach, list...) {
				require.NotEqual(t, "<nil>", by, "%v succeeded", list[i])
			}
		})
	}
	secret, err := os.ReadFile(o.file)
	require.NoError(t, err)
	require.Equal(t, "secret", string(secret))
	entries, err := os.ReadDir(o.dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func TestBox_AloneStartsNoProcess(t *testing.T) {
	again := [2]string{"again", ""}
	require.Contains(t, stopped(t, sandbox.Reach{}, again)[0], "operation not permitted")
	require.Equal(t, "<nil>", stopped(t, sandbox.Reach{Children: true}, again)[0])
}

func TestBox_LeavesWhatIsInReach(t *testing.T) {
	o := newOutside(t)
	scratch := t.TempDir()
	for name, reach := range map[string]sandbox.Reach{
		"alone":  {Read: []string{o.dir}, Write: []string{o.own}, Scratch: scratch, Loopback: true},
		"family": {Read: []string{o.dir}, Write: []string{o.own}, Scratch: scratch, Loopback: true, Children: true, Exec: []string{"/bin"}},
	} {
		eachBox(t, name, func(t *testing.T) {
			list := [][2]string{
				{"read", o.file}, {"list", o.dir}, {"write", filepath.Join(o.own, "new")}, {"write", filepath.Join(scratch, "new")},
				{"remove", filepath.Join(o.own, "new")}, {"write", "/dev/null"}, {"read", "/proc/self/maps"},
				{"signal self", ""}, {"listen", ""}, {"talk", ""},
			}
			if reach.Children {
				list = append(list, [2]string{"exec", "/bin/true"})
			}
			for i, by := range stopped(t, reach, list...) {
				require.Equal(t, "<nil>", by, "%v", list[i])
			}
			require.NotEqual(t, "<nil>", stopped(t, reach, [2]string{"append", o.file})[0], "a file to read was written")
		})
	}
}

func TestBox_TemporaryFilesEndWithTheCommand(t *testing.T) {
	if err := sandbox.Namespaces(); err != nil {
		t.Skip(err)
	}
	scratch := t.TempDir()
	require.Contains(t, stopped(t, sandbox.Reach{Scratch: scratch}, [2]string{"fill", scratch})[0], "no space left")
	entries, err := os.ReadDir(scratch)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestLacks_NamesWhatTheSystemDoesNotHave(t *testing.T) {
	sandbox.WithoutNamespaces(t)
	require.Empty(t, sandbox.Lacks(sandbox.Reach{Write: []string{"/"}}), "one process without network needs no namespaces")
	for _, reach := range []sandbox.Reach{{Children: true}, {Loopback: true}} {
		lacks := sandbox.Lacks(reach)
		require.Len(t, lacks, 1)
		require.Contains(t, lacks[0], "namespaces of its own (switched off by a test)")
	}
	require.NotContains(t, sandbox.Walls(), "namespaces")
}
