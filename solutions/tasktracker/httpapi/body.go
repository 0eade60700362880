//course:since m04a

package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/middle-go/course/tasktracker/web/strictjson"
)

const (
	jsonType       = "application/json"
	mergePatchType = "application/merge-patch+json"
)

// readBody returns the body, which must be of the given media type.
func (a *api) readBody(w http.ResponseWriter, r *http.Request, mediaType string) ([]byte, error) {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != mediaType {
		if mediaType == mergePatchType {
			w.Header().Set("Accept-Patch", mediaType) // RFC 5789, section 2.2
		}
		return nil, &httpError{
			status: http.StatusUnsupportedMediaType,
			code:   "unsupported_media_type",
			detail: fmt.Sprintf("The Content-Type of this request is %s.", mediaType),
		}
	}
	body, err := io.ReadAll(r.Body) // which the middleware limits
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); err != nil && !tooLarge {
		return nil, errCutOff // the client has left, is too slow, or has sent what is no chunk
	}
	return body, err
}

var errCutOff = &httpError{status: http.StatusBadRequest, code: "malformed_json", detail: "The body could not be read to its end."}

// decode reads a JSON body as a T.
func decode[T any](a *api, w http.ResponseWriter, r *http.Request) (T, error) {
	body, err := a.readBody(w, r, jsonType)
	if err != nil {
		var none T
		return none, err
	}
	return parse[T](body)
}

// parse decodes a body that was read within the limit already.
func parse[T any](body []byte) (T, error) {
	return strictjson.Decode[T](bytes.NewReader(body), strictjson.Limits{Bytes: int64(len(body)) + 1, Depth: maxDepth})
}

// maxDepth is deeper than any body of the API.
const maxDepth = 8

// send answers with v as JSON. The answer belongs to one user, so no cache keeps
// it.
func send(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	body = append(body, '\n')
	header := w.Header()
	header.Set("Content-Type", jsonType)
	header.Set("Content-Length", strconv.Itoa(len(body))) // net/http would send a longer one in chunks
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have left
	return nil
}
