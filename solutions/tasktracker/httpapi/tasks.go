//course:since m04a

package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
	"github.com/middle-go/course/tasktracker/web/etag"
)

func (a *api) createTask(w http.ResponseWriter, r *http.Request) error {
	body, err := decode[newTask](a, w, r)
	if err != nil {
		return err
	}
	task, err := a.Tasks.Create(r.Context(), actor(r), body.input())
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/tasks/"+string(task.State().ID))
	return sendTask(w, http.StatusCreated, task)
}

func (a *api) getTask(w http.ResponseWriter, r *http.Request) error {
	task, err := a.task(r)
	if err != nil {
		return err
	}
	version := etag.ForVersion(task.State().Version)
	switch etag.Evaluate(r, version, true, false) {
	case etag.NotModified:
		w.Header().Set("ETag", version.String())
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotModified)
		return nil
	case etag.PreconditionFailed:
		return errPreconditionFailed
	case etag.BadRequest:
		return errMalformedTags
	default:
		return sendTask(w, http.StatusOK, task)
	}
}

func (a *api) patchTask(w http.ResponseWriter, r *http.Request) error {
	body, err := a.readBody(w, r, mergePatchType)
	if err != nil {
		return err
	}
	seen, err := a.writable(r, true)
	if err != nil {
		return err
	}
	patch, err := parsePatch(body)
	if err != nil {
		return err
	}
	task, err := a.Tasks.Update(r.Context(), actor(r), seen.ID, seen.Version, patch)
	if err != nil {
		return lostRace(err)
	}
	return sendTask(w, http.StatusOK, task)
}

func (a *api) deleteTask(w http.ResponseWriter, r *http.Request) error {
	seen, err := a.writable(r, false)
	if err != nil {
		return err
	}
	expected := seen.Version
	if len(r.Header.Values("If-Match")) == 0 {
		expected = 0
	}
	if err := a.Tasks.Delete(r.Context(), actor(r), seen.ID, expected); err != nil {
		return lostRace(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxComment is the longest comment on a transition, in runes.
const maxComment = 1000

func (a *api) moveTask(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	body, err := decode[move](a, w, r)
	if err != nil {
		return err
	}
	to, err := domain.ParseStatus(body.To)
	if err != nil {
		return fieldError("to", "unknown_value", "must be todo, in_progress, blocked, done, cancelled or expired")
	}
	if body.Comment != nil && utf8.RuneCountInString(*body.Comment) > maxComment {
		return fieldError("comment", "too_long", fmt.Sprintf("has more than %d characters", maxComment))
	}
	task, err := a.Tasks.Transition(r.Context(), actor(r), id, to)
	if err != nil {
		return err
	}
	return sendTask(w, http.StatusOK, task)
}

func (a *api) listTasks(w http.ResponseWriter, r *http.Request) error {
	q, err := a.parseQuery(r)
	if err != nil {
		return err
	}
	page, err := a.Tasks.List(r.Context(), actor(r), q.TaskQuery)
	if err != nil {
		return err
	}
	answer := taskPage{Items: make([]taskJSON, len(page.Tasks))}
	for i, task := range page.Tasks {
		answer.Items[i] = newTaskJSON(task)
	}
	if !page.Next.IsZero() {
		answer.NextCursor = new(a.Cursors.Encode(q.cursor(page.Next)))
	}
	return send(w, http.StatusOK, answer)
}

// task returns the task that the path names.
func (a *api) task(r *http.Request) (*domain.Task, error) {
	id, err := taskID(r)
	if err != nil {
		return nil, err
	}
	return a.Tasks.Get(r.Context(), actor(r), id)
}

// taskID returns the id in the path, unescaped once. chi routes on the escaped
// path if the URL keeps one, and otherwise on the path that is unescaped
// already. What cannot be an id is the id of no task.
func taskID(r *http.Request) (domain.TaskID, error) {
	text := chi.URLParam(r, "id")
	if r.URL.RawPath != "" {
		text, _ = url.PathUnescape(text)
	}
	id, err := domain.ParseTaskID(text)
	return id, errs.E("path", errs.NotFound, err)
}

// writable returns the task that the path names if the preconditions of the
// request hold for it.
func (a *api) writable(r *http.Request, requireIfMatch bool) (domain.TaskState, error) {
	task, err := a.task(r)
	if err != nil {
		return domain.TaskState{}, err
	}
	s := task.State()
	switch etag.Evaluate(r, etag.ForVersion(s.Version), true, requireIfMatch) {
	case etag.PreconditionRequired:
		return s, errPreconditionRequired
	case etag.PreconditionFailed:
		return s, errPreconditionFailed
	case etag.BadRequest:
		return s, errMalformedTags
	default:
		return s, nil
	}
}

// lostRace tells a client that another writer came between his precondition and
// his change: for him the precondition has failed.
func lostRace(err error) error {
	if errs.KindOf(err) == errs.Conflict {
		return errPreconditionFailed
	}
	return err
}

func sendTask(w http.ResponseWriter, status int, task *domain.Task) error {
	w.Header().Set("ETag", etag.ForVersion(task.State().Version).String())
	return send(w, status, newTaskJSON(task))
}

func fieldError(field, code, message string) error {
	return &errs.ValidationError{Fields: []errs.FieldError{{Field: field, Code: code, Message: message}}}
}
