package proc_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/labkit/proc"
)

func TestStart_TheServiceDiesWithATestProcessThatRunsNoCleanup(t *testing.T) {
	if os.Getenv("PROC_TEST_DIE") != "" {
		p := proc.Start(t, service(t), proc.Options{})
		fmt.Printf("http=%s\n", p.Addrs().HTTP)
		os.Exit(3)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "PROC_TEST_DIE=1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	addr := regexp.MustCompile(`http=(\S+)`).FindSubmatch(out)
	require.NotNil(t, addr, "%s", out)
	require.Eventually(t, func() bool { return !accepts(string(addr[1])) }, 10*time.Second, 10*time.Millisecond)
}
