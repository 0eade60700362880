// Package week07_test holds the examples of the lesson in README.md, and checks
// that the lesson quotes them and the standard library correctly.
package week07_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/middle-go/course/module1/internal/lesson"
)

// 1. Requests that nobody planned

func Example_stockRouters() {
	get := func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "a task") }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tasks/{id}", get)
	router := chi.NewRouter()
	router.Get("/tasks/{id}", get)

	for _, method := range []string{"GET", "HEAD", "DELETE", "OPTIONS", "BREW"} {
		fmt.Printf("%-7s", method)
		for _, h := range []http.Handler{mux, router} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, "/tasks/7", nil))
			fmt.Printf(" %d %q", w.Code, w.Header()["Allow"])
		}
		fmt.Println()
	}
	// Output:
	// GET     200 [] 200 []
	// HEAD    200 [] 405 ["GET"]
	// DELETE  405 ["GET, HEAD"] 405 ["GET"]
	// OPTIONS 405 ["GET, HEAD"] 405 ["GET"]
	// BREW    405 ["GET, HEAD"] 405 []
}

func Example_twoPaths() {
	for _, path := range []string{"/files/a%20b", "/files/a%2Fb", "/files/%61"} {
		u, _ := url.Parse(path)
		fmt.Printf("%q %q %q\n", u.Path, u.RawPath, u.EscapedPath())
	}
	// Output:
	// "/files/a b" "" "/files/a%20b"
	// "/files/a/b" "/files/a%2Fb" "/files/a%2Fb"
	// "/files/a" "/files/%61" "/files/%61"
}

// 2. One place that answers

func Example_noReturn() {
	create := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "JSON, please", http.StatusUnsupportedMediaType)
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintln(w, "created tsk_1")
	}
	w := httptest.NewRecorder()
	create(w, httptest.NewRequest("POST", "/tasks", nil))
	fmt.Printf("%d\n%s", w.Code, w.Body)
	// Output:
	// 415
	// JSON, please
	// created tsk_1
}

func Example_successHeaders() {
	w := httptest.NewRecorder()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", "5120")
	h.Set("Content-Encoding", "gzip")
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("ETag", `"v7"`)

	http.Error(w, "the database is away", http.StatusServiceUnavailable)

	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Println(name, h.Get(name))
	}
	// Output:
	// Cache-Control public, max-age=3600
	// Content-Encoding gzip
	// Content-Type text/plain; charset=utf-8
	// Etag "v7"
	// X-Content-Type-Options nosniff
}

// 3. What a wrapper takes away

// plain is a writer with nothing added.
type plain struct{ io.Writer }

func Example_methodSet() {
	for _, w := range []io.Writer{new(bytes.Buffer), plain{new(bytes.Buffer)}} {
		_, readFrom := w.(io.ReaderFrom)
		_, writeString := w.(io.StringWriter)
		fmt.Println(readFrom, writeString)
	}
	// Output:
	// true true
	// false false
}

type userKey struct{}

func Example_onlyInwards() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Cache", "miss")
	})
	mux := http.NewServeMux()
	mux.Handle("GET /tasks/{id}", handler)

	signIn := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, "ann")))
		})
	}
	report := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			fmt.Printf("%v, %q, %s\n", r.Context().Value(userKey{}), r.Pattern, w.Header().Get("X-Cache"))
		})
	}

	r := func() *http.Request { return httptest.NewRequest("GET", "/tasks/7", nil) }
	report(signIn(mux)).ServeHTTP(httptest.NewRecorder(), r())
	signIn(report(mux)).ServeHTTP(httptest.NewRecorder(), r())
	// Output:
	// <nil>, "", miss
	// ann, "GET /tasks/{id}", miss
}

func Example_lastChunk() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"items":[`)
		if r.URL.Path == "/stream" {
			http.NewResponseController(w).Flush()
		}
		io.WriteString(w, `]}`)
	}))
	defer server.Close()

	for _, path := range []string{"/whole", "/stream"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", path)
		wire, _ := io.ReadAll(conn)
		conn.Close()
		head, body, _ := strings.Cut(string(wire), "\r\n\r\n")
		fmt.Println(strings.Contains(head, "Content-Length: 12"), strings.Contains(head, "chunked"))
		fmt.Printf("%q\n", body)
	}
	// Output:
	// true false
	// "{\"items\":[]}"
	// false true
	// "a\r\n{\"items\":[\r\n2\r\n]}\r\n0\r\n\r\n"
}

// 4. Whose version?

func Example_serveContent() {
	monday := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	ask := func(headers ...string) {
		r := httptest.NewRequest("GET", "/report.txt", nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		w.Header().Set("ETag", `"r7"`)
		http.ServeContent(w, r, "report.txt", monday, strings.NewReader("all is well"))
		fmt.Printf("%d %q\n", w.Code, w.Body)
	}

	ask("If-Modified-Since", "Mon, 23 Nov 2026 09:00:00 GMT")
	ask("If-Modified-Since", "Mon, 23 Nov 2026 09:00:00 GMT", "If-None-Match", `"r6"`)
	ask("Range", "bytes=0-2", "If-Range", `"r7"`)
	ask("Range", "bytes=0-2", "If-Range", `"r6"`)
	// Output:
	// 304 ""
	// 200 "all is well"
	// 206 "all"
	// 200 "all is well"
}

// 5. Which attempt?

func Example_clientRetries() {
	var runs atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			return
		}
		if runs.Add(1) == 1 { // the work is done, and the answer is lost
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		}
	}))
	defer server.Close()

	for _, header := range []string{"X-Comment", "Idempotency-Key"} {
		runs.Store(0)
		warm, err := server.Client().Get(server.URL) // leaves an idle connection
		if err != nil {
			fmt.Println(err)
			return
		}
		warm.Body.Close()

		order, _ := http.NewRequest("POST", server.URL, strings.NewReader("1 pizza"))
		order.Header.Set(header, "k1")
		answer, err := server.Client().Do(order)
		if err == nil {
			answer.Body.Close()
		}
		fmt.Println(header, runs.Load(), errors.Is(err, io.EOF))
	}
	// Output:
	// X-Comment 1 true
	// Idempotency-Key 2 false
}

func TestREADME_QuotesThisFile(t *testing.T) { lesson.Check(t) }

// TestREADME_QuotesTheStandardLibrary finds what the lesson quotes from the
// source of net/http and net/url there, and in the lesson.
func TestREADME_QuotesTheStandardLibrary(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("no go command in PATH")
	}
	src := filepath.Join(strings.TrimSpace(string(root)), "src", "net")
	words := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Skip(err)
		}
		plain := strings.NewReplacer("//", " ", "[", "", "]", "", "`", "").Replace(string(text))
		return strings.Join(strings.Fields(plain), " ")
	}
	for quote, file := range map[string]string{
		"superfluous response.WriteHeader call":                                    "http/server.go",
		"In general, code should call EscapedPath instead of reading RawPath.":     "url/url.go",
		"some middleware sets Content-Encoding: gzip and wraps the ResponseWriter": "http/server.go",
		"does not support the Hijacker or Flusher interfaces":                      "http/server.go",
	} {
		for _, path := range []string{"README.md", filepath.Join(src, file)} {
			if !strings.Contains(words(path), quote) {
				t.Errorf("%s does not say %q", path, quote)
			}
		}
	}
}
