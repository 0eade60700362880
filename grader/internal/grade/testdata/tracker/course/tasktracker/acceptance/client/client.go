// Package client speaks to the program under test.
package client

import (
	"io"
	"net/http"
	"testing"
)

// Post posts nothing to url and returns the body of the answer.
func Post(t testing.TB, url string) string {
	t.Helper()
	res, err := http.Post(url, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
