package ci_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/ci"
)

// pull is the comments of pull request 7, as GitHub's API shows them.
type pull struct {
	*httptest.Server
	comments []map[string]any
	posted   []string
}

func newPull(t *testing.T) *pull {
	p := &pull{}
	mux := http.NewServeMux()
	body := func(r *http.Request) string {
		var in struct{ Body string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		return in.Body
	}
	mux.HandleFunc("GET /repos/o/r/issues/7/comments", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		var page int
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		from := min((page-1)*100, len(p.comments))
		_ = json.NewEncoder(w).Encode(p.comments[from:min(from+100, len(p.comments))])
	})
	mux.HandleFunc("POST /repos/o/r/issues/7/comments", func(w http.ResponseWriter, r *http.Request) {
		p.posted = append(p.posted, "new: "+body(r))
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("PATCH /repos/o/r/issues/comments/{id}", func(_ http.ResponseWriter, r *http.Request) {
		p.posted = append(p.posted, r.PathValue("id")+": "+body(r))
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *pull) add(id int, login, body string) {
	p.comments = append(p.comments, map[string]any{"id": id, "body": body, "user": map[string]string{"login": login}})
}

func (p *pull) github() *ci.GitHub {
	return &ci.GitHub{API: p.URL, Repository: "o/r", Token: "token", Author: ci.ActionsBot}
}

func TestPost_ReplacesItsOwnCommentOnly(t *testing.T) {
	p := newPull(t)
	p.add(1, "mallory", ci.Marker+" mine")
	p.add(2, ci.ActionsBot, "of another workflow")
	for i := range 100 {
		p.add(100+i, "anna", "a question")
	}
	require.NoError(t, p.github().Post(t.Context(), 7, ci.Marker+" a"))
	p.add(300, ci.ActionsBot, ci.Marker+" a")
	require.NoError(t, p.github().Post(t.Context(), 7, ci.Marker+" b"))
	require.Equal(t, []string{"new: " + ci.Marker + " a", "300: " + ci.Marker + " b"}, p.posted)
}

func TestPost_SaysWhatGitHubAnswers(t *testing.T) {
	p := newPull(t)
	g := p.github()
	g.Token = "other"
	require.ErrorContains(t, g.Post(t.Context(), 7, ci.Marker), "401 Unauthorized to GET /repos/o/r/issues/7/comments")
	require.ErrorContains(t, g.Post(t.Context(), 7, "text"), "does not begin with")
	require.Empty(t, p.posted)
}
