package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
)

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
