//course:since m04a

package middleware

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// response is a ResponseWriter that remembers what was sent.
type response struct {
	http.ResponseWriter
	status int   // of the answer; 0 until it has begun
	bytes  int64 // of the body
}

// Unwrap lets http.ResponseController find what response does not have.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) begin(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
}

func (w *response) WriteHeader(status int) {
	w.ResponseWriter.WriteHeader(status) // panics if the status is not valid
	w.begin(status)
}

func (w *response) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom keeps the fast path of net/http, which lets the kernel copy files.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	before := w.status
	w.begin(http.StatusOK) // src may panic with half of it on its way
	n, err := io.Copy(w.ResponseWriter, src)
	if n == 0 {
		w.status = before
	}
	w.bytes += n
	return n, err
}

func (w *response) FlushError() error {
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if !errors.Is(err, errors.ErrUnsupported) {
		w.begin(http.StatusOK)
	}
	return err
}

func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.begin(http.StatusSwitchingProtocols)
	}
	return conn, rw, err
}
