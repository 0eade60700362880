package tracker

import (
	"net/http"
)

// Request is a request to the service. Methods return changed copies.
type Request struct {
	Method string
	Path   string // with the query, escaped
	Header http.Header
	Body   string

	bad     bool
	chunked bool
}

// Get returns a request to read path.
func Get(path string) Request { return Request{Method: http.MethodGet, Path: path} }

// Head returns a request for the headers of path.
func Head(path string) Request { return Request{Method: http.MethodHead, Path: path} }

// Post returns a request with a JSON body.
func Post(path, body string) Request {
	return Request{Method: http.MethodPost, Path: path, Body: body}.With("Content-Type", "application/json")
}

// Patch returns a request with a JSON Merge Patch for the version that has etag.
// With an empty etag there is no If-Match.
func Patch(path, etag, patch string) Request {
	r := Request{Method: http.MethodPatch, Path: path, Body: patch}.With("Content-Type", "application/merge-patch+json")
	if etag == "" {
		return r
	}
	return r.With("If-Match", etag)
}

// Delete returns a request to delete path.
func Delete(path string) Request { return Request{Method: http.MethodDelete, Path: path} }

// Create returns a request for a task.
func Create(body string) Request { return Post("/v1/tasks", body) }

// With adds a header.
func (r Request) With(name, value string) Request {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Add(name, value)
	return r
}

// Without removes a header.
func (r Request) Without(name string) Request {
	r.Header = r.Header.Clone()
	r.Header.Del(name)
	return r
}

// Bad says that the request breaks the contract on purpose.
func (r Request) Bad() Request {
	r.bad = true
	return r
}

// Chunked sends the body without telling its length first.
func (r Request) Chunked() Request {
	r.chunked = true
	return r
}
