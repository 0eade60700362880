//course:since m04a

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// announcer is the last service to start: it tells whoever waits for it that the
// others are running.
type announcer struct {
	path string // empty: nobody waits
	http net.Addr
}

// Name implements lifecycle.Service.
func (a *announcer) Name() string { return "address file" }

// Run writes the address file, and then waits for the end.
func (a *announcer) Run(ctx context.Context, ready func()) error {
	if a.path != "" {
		if err := writeAddrFile(a.path, a.http); err != nil {
			return fmt.Errorf("TT_ADDR_FILE: %w", err)
		}
	}
	ready()
	<-ctx.Done()
	return ctx.Err()
}

// writeAddrFile tells whoever started the process where it listens, which port
// 0 leaves open. The file is written beside path and then renamed, so that a
// reader who polls for it sees all of it or nothing.
func writeAddrFile(path string, http net.Addr) (err error) {
	content, err := json.Marshal(struct {
		HTTP string `json:"http"`
		PID  int    `json:"pid"`
	}{http.String(), os.Getpid()})
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	_, err = file.Write(append(content, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
