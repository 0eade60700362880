//course:since m04a

package config_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/config"
)

func load(t *testing.T, args []string, environ ...string) config.Config {
	t.Helper()
	c, err := config.Load(args, environ, io.Discard)
	if err != nil {
		t.Fatalf("Load(%q, %q): %v", args, environ, err)
	}
	return c
}

func TestLoad_DefaultsAreThoseOfTheContract(t *testing.T) {
	c := load(t, nil)
	if c.HTTPAddr != "127.0.0.1:8080" || c.Auth != config.AuthToken || c.MaxBody != 64<<10 || c.RequestTimeout != 15*time.Second {
		t.Errorf("defaults: %+v", c)
	}
}

func TestLoad_FlagsBeatVariablesBeatDefaults(t *testing.T) {
	c := load(t, []string{"-max-body", "1MiB"}, "TT_MAX_BODY=2KiB", "TT_REQUEST_TIMEOUT=3s", "TT_LOG_LEVEL=")
	if c.MaxBody != 1<<20 || c.RequestTimeout != 3*time.Second {
		t.Errorf("MaxBody %d, RequestTimeout %v; want 1 MiB from the flag and 3s from the variable", c.MaxBody, c.RequestTimeout)
	}
}

func TestLoad_NamesEverythingThatIsWrong(t *testing.T) {
	_, err := config.Load([]string{"-auth", "none"}, []string{
		"TT_HTTP_ADDR=8080", "TT_MAX_BODY=64KB", "TT_REQUEST_TIMEOUT=15", "TT_SWEEP_INTERVAL=0s",
		"TT_LOG_LEVEL=loud", "TT_STORE=paper", "PATH=/bin",
	}, io.Discard)
	if err == nil {
		t.Fatal("Load accepts all of it")
	}
	for _, want := range []string{"TT_HTTP_ADDR", "TT_MAX_BODY", "TT_REQUEST_TIMEOUT", "TT_SWEEP_INTERVAL", "TT_LOG_LEVEL", "TT_STORE", "-auth"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s:\n%v", want, err)
		}
	}
}

func TestLoad_DevModeStaysOnThisMachine(t *testing.T) {
	for addr, allowed := range map[string]bool{
		"127.0.0.1:0": true, "localhost:80": true, "[::1]:80": true,
		"0.0.0.0:80": false, ":80": false, "192.0.2.7:80": false, "[::]:80": false, "localhost.example:80": false,
	} {
		_, err := config.Load(nil, []string{"TT_AUTH=dev", "TT_HTTP_ADDR=" + addr}, io.Discard)
		if allowed != (err == nil) {
			t.Errorf("TT_AUTH=dev on %s: %v, want allowed: %v", addr, err, allowed)
		}
	}
}

func TestLoad_ReportsVariablesThatMeanNothing(t *testing.T) {
	c := load(t, nil, "TT_TOKEN_TLL=1h", "TT_ADDR_FILE=/tmp/a", "HOME=/root")
	if !slices.Equal(c.Unknown, []string{"TT_TOKEN_TLL"}) {
		t.Errorf("Unknown = %q, want the misspelt one", c.Unknown)
	}
}

func TestLoad_HelpListsFlagsAndVariables(t *testing.T) {
	var usage bytes.Buffer
	_, err := config.Load([]string{"-h"}, nil, &usage)
	if !errors.Is(err, flag.ErrHelp) || !strings.Contains(usage.String(), "-http-addr") || !strings.Contains(usage.String(), "$TT_HTTP_ADDR") {
		t.Errorf("Load(-h) = %v, usage:\n%s", err, usage.String())
	}
}

func TestLoad_SizesHaveALimit(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "512B": 512, "64KiB": 64 << 10, "1024MiB": 1 << 30} {
		if c := load(t, nil, "TT_MAX_BODY="+text); c.MaxBody != want {
			t.Errorf("TT_MAX_BODY=%s is %d bytes, want %d", text, c.MaxBody, want)
		}
	}
	for _, text := range []string{"0", "-1KiB", "1.5MiB", "1025MiB", "9223372036854775807KiB", "KiB", "1GiB"} {
		if _, err := config.Load(nil, []string{"TT_MAX_BODY=" + text}, io.Discard); err == nil {
			t.Errorf("TT_MAX_BODY=%s is accepted", text)
		}
	}
}
