//course:since m05a

package httpapi

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/middle-go/course/tasktracker"
)

func TestDocs_AreForEverybody(t *testing.T) {
	h := newTestAPI(t)
	page := h.do("GET", "/docs", "", "X-TT-User", "", "Accept", "text/html")
	if page.Code != http.StatusOK || page.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(page.Header().Get("Content-Security-Policy"), "style-src") {
		t.Errorf("GET /docs = %d %v", page.Code, page.Header())
	}
	contract := h.do("GET", "/openapi.yaml", "", "X-TT-User", "")
	if contract.Code != http.StatusOK || !bytes.Equal(contract.Body.Bytes(), tasktracker.OpenAPI) {
		t.Errorf("GET /openapi.yaml = %d with %d bytes, want the contract", contract.Code, contract.Body.Len())
	}
}
