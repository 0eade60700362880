//course:since m04a

// Package problem writes the error answers of the service: problem documents of
// RFC 9457. It is the only place that does.
package problem

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

const (
	// ContentType is the media type of a problem document.
	ContentType = "application/problem+json"

	typePrefix = "https://tasktracker.example/problems/"
)

// Problem is what the client learns about an error. The cause is not among it.
type Problem struct {
	Status     int           // of the answer, 400 to 599
	Code       string        // for programs, as in "email_taken"
	Detail     string        // for people; empty: nothing to add
	Errors     []FieldError  // of a request that is not valid
	RetryAfter time.Duration // when to try again; 0: unknown
}

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Write answers with p. It keeps the headers that w has, such as X-Request-ID,
// except those that describe the body of a success.
func Write(w http.ResponseWriter, p Problem) {
	header := w.Header()
	for _, ofSuccess := range []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified", "Location"} {
		header.Del(ofSuccess)
	}
	header.Set("Content-Type", ContentType)
	header.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(struct { // the client has gone if this fails
		Type      string       `json:"type"`
		Title     string       `json:"title"`
		Status    int          `json:"status"`
		Detail    string       `json:"detail,omitempty"`
		Code      string       `json:"code"`
		RequestID string       `json:"request_id,omitempty"`
		Errors    []FieldError `json:"errors,omitempty"`
	}{
		Type:      typePrefix + p.Code,
		Title:     http.StatusText(p.Status),
		Status:    p.Status,
		Detail:    p.Detail,
		Code:      p.Code,
		RequestID: header.Get("X-Request-ID"),
		Errors:    p.Errors,
	})
}
