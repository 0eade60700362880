package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// measure sends the request of c over conns connections until length has passed.
func measure(c benchCase, conns int, length time.Duration) (result, error) {
	before, err := c.server.cpu()
	if err != nil {
		return result{}, err
	}
	begin := time.Now()
	latencies := make([][]time.Duration, conns)
	errs := make([]error, conns)
	var clients sync.WaitGroup
	for i := range conns {
		clients.Go(func() {
			latencies[i], errs[i] = client(c, begin.Add(length))
		})
	}
	clients.Wait()
	took := time.Since(begin)
	after, err := c.server.cpu()
	if err := errors.Join(append(errs, err)...); err != nil {
		return result{}, err
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	return result{
		perSecond: float64(len(all)) / took.Seconds(),
		cpu:       (after - before) / time.Duration(len(all)),
		p99:       all[len(all)*99/100],
	}, nil
}

// client sends one request after the other over one connection. It parses no
// more of an answer than it must, so that the client costs less than the server.
func client(c benchCase, until time.Time) (latencies []time.Duration, err error) {
	conn, err := net.Dial("tcp", c.server.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for now := time.Now(); now.Before(until); {
		if _, err := conn.Write(c.request); err != nil {
			return nil, err
		}
		if err := skipAnswer(r, c.status); err != nil {
			return nil, err
		}
		done := time.Now()
		latencies = append(latencies, done.Sub(now))
		now = done
	}
	return latencies, nil
}

var contentLength = []byte("content-length:")

// skipAnswer reads an answer that has a Content-Length.
func skipAnswer(r *bufio.Reader, status int) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if want := fmt.Appendf(nil, "HTTP/1.1 %d ", status); !bytes.HasPrefix(line, want) {
		return fmt.Errorf("answer %q, want %d %s", bytes.TrimSpace(line), status, http.StatusText(status))
	}
	size := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength) {
			for _, digit := range bytes.TrimSpace(line[len(contentLength):]) {
				size = size*10 + int(digit-'0')
			}
		}
	}
	_, err = io.CopyN(io.Discard, r, int64(size))
	return err
}
