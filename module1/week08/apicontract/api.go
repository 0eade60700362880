// Package apicontract is an API for tasks that keeps them in memory.
package apicontract

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	defaultLimit = 20
	maxLimit     = 100
	maxBody      = 64 << 10 // bytes
	maxTitle     = 200      // runes
	maxLabels    = 16
)

var (
	labelForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

	// moves tells where a task can go from each status.
	moves = map[string][]string{
		"todo":        {"in_progress", "cancelled"},
		"in_progress": {"todo", "done", "cancelled"},
		"done":        {"todo"},
		"cancelled":   {},
	}
)

type task struct {
	ID        string     `json:"id"`
	Owner     string     `json:"owner"`
	Title     string     `json:"title"`
	Status    string     `json:"status"`
	Labels    []string   `json:"labels"` // sorted, without duplicates, never nil
	DueAt     *time.Time `json:"due_at"` // in UTC
	Version   int        `json:"version"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`

	seq int // order of creation
}

func (t *task) etag() string { return fmt.Sprintf(`"v%d"`, t.Version) }

type api struct {
	mu      sync.Mutex
	created int
	tasks   []*task            // oldest first
	replies map[replyKey]reply // to requests with an Idempotency-Key
}

type replyKey struct{ user, key string }

type reply struct {
	request  []byte
	response response
}

// New returns a server without tasks. It is safe for concurrent use and shares
// nothing with other servers. The token in the Authorization header of a request
// is the name of its user: nobody checks it here.
func New() http.Handler {
	a := &api{replies: map[replyKey]reply{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/tasks", a.serve(a.create))
	mux.HandleFunc("GET /v1/tasks", a.serve(a.list)) // GET serves HEAD too
	mux.HandleFunc("GET /v1/tasks/{id}", a.serve(a.onTask(a.get)))
	mux.HandleFunc("PATCH /v1/tasks/{id}", a.serve(a.onTask(a.patch)))
	mux.HandleFunc("DELETE /v1/tasks/{id}", a.serve(a.onTask(a.remove)))
	mux.HandleFunc("POST /v1/tasks/{id}/transitions", a.serve(a.onTask(a.transition)))
	return mux
}

// request is a request of a known user, with its whole body.
type request struct {
	*http.Request
	user string
	body []byte
}

type response struct {
	status int
	header map[string]string
	body   []byte
}

// serve reads a request, lets h answer it while nobody else uses the tasks, and
// writes the answer.
func (a *api) serve(h func(request) (response, *problem)) http.HandlerFunc {
	alone := func(req request) (response, *problem) {
		a.mu.Lock()
		defer a.mu.Unlock()
		return h(req)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		var resp response
		req, p := read(w, r)
		if p == nil {
			resp, p = alone(req)
		}
		if p != nil {
			resp = p.response()
		}
		for name, value := range resp.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(resp.status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(resp.body) // the client may be gone
		}
	}
}

func read(w http.ResponseWriter, r *http.Request) (request, *problem) {
	user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || user == "" {
		return request{}, &problem{Status: 401, Code: "unauthenticated", header: map[string]string{"WWW-Authenticate": "Bearer"}}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil { // or the client is gone, and reads no answer
		return request{}, &problem{Status: 413, Code: "body_too_large"}
	}
	return request{r, user, body}, nil
}

func (a *api) create(r request) (response, *problem) {
	if p := r.wantType("application/json"); p != nil {
		return response{}, p
	}
	key := replyKey{r.user, r.Header.Get("Idempotency-Key")}
	if first, ok := a.replies[key]; ok {
		return first.replay(r.body)
	}
	var f fields
	if p := decode(r.body, &f); p != nil {
		return response{}, p
	}
	now := time.Now().UTC()
	t := &task{ID: rand.Text(), Owner: r.user, Status: "todo", Labels: []string{}, Version: 1, CreatedAt: now, UpdatedAt: now}
	if p := f.apply(t); p != nil {
		return response{}, p
	}
	a.created++
	t.seq = a.created
	a.tasks = append(a.tasks, t)

	resp := taskResponse(201, t)
	resp.header["Location"] = "/v1/tasks/" + t.ID
	if key.key != "" {
		a.replies[key] = reply{r.body, resp}
	}
	return resp, nil
}

// replay answers another request with the same key.
func (first reply) replay(body []byte) (response, *problem) {
	if !bytes.Equal(body, first.request) {
		return response{}, &problem{Status: 422, Code: "idempotency_mismatch"}
	}
	resp := first.response
	resp.header = maps.Clone(resp.header)
	resp.header["Idempotency-Replayed"] = "true"
	return resp, nil
}

func (a *api) list(r request) (response, *problem) {
	query := r.URL.Query()
	limit, before := defaultLimit, math.MaxInt
	var err error
	if query.Has("limit") {
		limit, err = strconv.Atoi(query.Get("limit"))
		if err != nil || limit < 1 || limit > maxLimit {
			return response{}, &problem{Status: 400, Code: "invalid_query", Detail: "limit is 1 to 100"}
		}
	}
	if query.Has("cursor") {
		before, err = strconv.Atoi(query.Get("cursor"))
		if err != nil {
			return response{}, &problem{Status: 400, Code: "invalid_cursor"}
		}
	}
	page := struct {
		Items      []*task `json:"items"`
		NextCursor *string `json:"next_cursor"`
	}{Items: []*task{}}
	for _, t := range slices.Backward(a.tasks) {
		if t.Owner != r.user || t.seq >= before {
			continue
		}
		if len(page.Items) == limit {
			page.NextCursor = new(strconv.Itoa(page.Items[limit-1].seq))
			break
		}
		page.Items = append(page.Items, t)
	}
	return jsonResponse(200, "application/json", page), nil
}

// onTask calls h with the task that the path names. A task of somebody else does
// not exist.
func (a *api) onTask(h func(request, *task) (response, *problem)) func(request) (response, *problem) {
	return func(r request) (response, *problem) {
		for _, t := range a.tasks {
			if t.ID == r.PathValue("id") && t.Owner == r.user {
				return h(r, t)
			}
		}
		return response{}, &problem{Status: 404, Code: "not_found"}
	}
}

func (a *api) get(_ request, t *task) (response, *problem) {
	return taskResponse(200, t), nil
}

func (a *api) patch(r request, t *task) (response, *problem) {
	if p := r.wantType("application/merge-patch+json"); p != nil {
		return response{}, p
	}
	switch r.Header.Get("If-Match") {
	case "":
		return response{}, &problem{Status: 428, Code: "precondition_required"}
	case t.etag():
	default:
		return response{}, &problem{Status: 412, Code: "precondition_failed"}
	}
	var f fields
	if p := decode(r.body, &f); p != nil {
		return response{}, p
	}
	changed := *t
	if p := f.apply(&changed); p != nil {
		return response{}, p
	}
	*t = changed
	t.touch()
	return taskResponse(200, t), nil
}

func (a *api) remove(_ request, t *task) (response, *problem) {
	a.tasks = slices.DeleteFunc(a.tasks, func(other *task) bool { return other == t })
	return response{status: 204}, nil
}

func (a *api) transition(r request, t *task) (response, *problem) {
	if p := r.wantType("application/json"); p != nil {
		return response{}, p
	}
	var body struct {
		To string `json:"to"`
	}
	if p := decode(r.body, &body); p != nil {
		return response{}, p
	}
	if _, known := moves[body.To]; !known {
		return response{}, invalid("to")
	}
	if !slices.Contains(moves[t.Status], body.To) {
		return response{}, &problem{Status: 409, Code: "invalid_transition", Detail: t.Status + " to " + body.To}
	}
	t.Status = body.To
	t.touch()
	return taskResponse(200, t), nil
}

func (t *task) touch() {
	t.Version++
	t.UpdatedAt = time.Now().UTC()
}

func (r request) wantType(want string) *problem {
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != want {
		return &problem{Status: 415, Code: "unsupported_media_type", Detail: "send " + want}
	}
	return nil
}

// fields is what a client may set.
type fields struct {
	Title  optional[string]   `json:"title"`
	Labels optional[[]string] `json:"labels"`
	DueAt  optional[*string]  `json:"due_at"`
}

// optional tells a field that is absent from one that is null.
type optional[T any] struct {
	present bool
	value   T // the zero value for null
}

func (o *optional[T]) UnmarshalJSON(b []byte) error {
	o.present = true
	return json.Unmarshal(b, &o.value)
}

// apply sets the fields of t that are present. When it fails, some are set.
func (f fields) apply(t *task) *problem {
	var bad []string
	if f.Title.present {
		t.Title = strings.TrimSpace(f.Title.value)
	}
	if n := utf8.RuneCountInString(t.Title); n < 1 || n > maxTitle {
		bad = append(bad, "title")
	}
	if f.Labels.present {
		t.Labels = normalise(f.Labels.value)
	}
	malformed := func(label string) bool { return !labelForm.MatchString(label) }
	if len(t.Labels) > maxLabels || slices.ContainsFunc(t.Labels, malformed) {
		bad = append(bad, "labels")
	}
	if f.DueAt.present {
		t.DueAt = nil
		if text := f.DueAt.value; text != nil {
			due, err := time.Parse(time.RFC3339, *text)
			if due = due.UTC(); err != nil || due.Year() < 1970 || due.Year() > 9999 {
				bad = append(bad, "due_at")
			}
			t.DueAt = &due
		}
	}
	if len(bad) > 0 {
		return invalid(bad...)
	}
	return nil
}

// normalise returns labels in lower case, sorted, without duplicates. They are
// never nil, so that their JSON is an array.
func normalise(labels []string) []string {
	lower := make([]string, len(labels))
	for i, label := range labels {
		lower[i] = strings.ToLower(label)
	}
	slices.Sort(lower)
	return slices.Compact(lower)
}

// decode accepts one JSON object with known fields and nothing after it.
func decode(body []byte, v any) *problem {
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return &problem{Status: 400, Code: "malformed_json", Detail: "the body is not an object"}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return &problem{Status: 400, Code: "malformed_json", Detail: err.Error()}
	}
	if _, err := dec.Token(); err != io.EOF {
		return &problem{Status: 400, Code: "malformed_json", Detail: "something follows the object"}
	}
	return nil
}

// problem is a refusal as the client sees it, by RFC 9457.
type problem struct {
	Status int      `json:"status"`
	Title  string   `json:"title"`
	Code   string   `json:"code"`
	Detail string   `json:"detail,omitempty"`
	Fields []string `json:"fields,omitempty"`

	header map[string]string
}

func invalid(fields ...string) *problem {
	return &problem{Status: 422, Code: "validation_failed", Fields: fields}
}

func (p *problem) response() response {
	p.Title = http.StatusText(p.Status)
	resp := jsonResponse(p.Status, "application/problem+json", p)
	maps.Copy(resp.header, p.header)
	return resp
}

func taskResponse(status int, t *task) response {
	resp := jsonResponse(status, "application/json", t)
	resp.header["ETag"] = t.etag()
	return resp
}

func jsonResponse(status int, contentType string, v any) response {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // a programming error: our types have a JSON form
	}
	return response{status, map[string]string{"Content-Type": contentType}, body}
}
