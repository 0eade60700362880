//course:since m05a

package docs_test

import (
	"strings"
	"testing"

	"github.com/middle-go/course/tasktracker"
	"github.com/middle-go/course/tasktracker/httpapi/docs"
)

func TestPage_ShowsEveryOperationAndSchema(t *testing.T) {
	page, err := docs.Page(tasktracker.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<article id="createTask">`, `<article id="logOut">`, `<article id="readiness">`,
		`<article id="TaskPatch">`, `<a href="#NewTask">NewTask</a>`,
		"Idempotency-Key", "string or null", "todo, in_progress",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestPage_RefusesWhatIsNoDocument(t *testing.T) {
	if page, err := docs.Page([]byte("paths: [1, 2]")); err == nil {
		t.Errorf("Page(paths: [1, 2]) = %d bytes, want an error", len(page))
	}
}
