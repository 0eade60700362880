//go:build !unix

package assembly

import (
	"errors"
	"io/fs"
	"os"
)

func tryLock(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		err = errBusy
	}
	return f, err
}
