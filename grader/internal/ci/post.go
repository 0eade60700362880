package ci

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// GitHub posts comments on the pull requests of a repository.
type GitHub struct {
	API        string // such as https://api.github.com
	Repository string // owner/name
	Token      string // may write comments on pull requests
	Author     string // the login that Token's comments have
}

// ActionsBot is the login of a workflow's own token.
const ActionsBot = "github-actions[bot]"

// Limits of what is read from GitHub.
const (
	maxPages    = 30
	maxResponse = 8 << 20
	timeout     = 30 * time.Second
)

type issueComment struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

// Post posts body, which begins with [Marker], on a pull request. It replaces the
// comment that it posted before. A comment of somebody else is never touched,
// whatever it begins with.
func (g *GitHub) Post(ctx context.Context, pullRequest int, body string) error {
	if !strings.HasPrefix(body, Marker) {
		return fmt.Errorf("the comment does not begin with %s", Marker)
	}
	list := fmt.Sprintf("/repos/%s/issues/%d/comments", g.Repository, pullRequest)
	old, err := g.own(ctx, list)
	if err != nil {
		return err
	}
	text := map[string]string{"body": body}
	if old == 0 {
		return g.call(ctx, http.MethodPost, list, text, nil)
	}
	return g.call(ctx, http.MethodPatch, fmt.Sprintf("/repos/%s/issues/comments/%d", g.Repository, old), text, nil)
}

// own returns the comment that was posted before, or 0.
func (g *GitHub) own(ctx context.Context, list string) (int64, error) {
	const perPage = 100
	for page := 1; page <= maxPages; page++ {
		var comments []issueComment
		if err := g.call(ctx, http.MethodGet, fmt.Sprintf("%s?per_page=%d&page=%d", list, perPage, page), nil, &comments); err != nil {
			return 0, err
		}
		for _, c := range comments {
			if c.User.Login == g.Author && strings.HasPrefix(c.Body, Marker) {
				return c.ID, nil
			}
		}
		if len(comments) < perPage {
			return 0, nil
		}
	}
	return 0, nil
}

func (g *GitHub) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(g.API, "/")+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+g.Token)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("GitHub answers %s to %s %s", resp.Status, method, path)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}
