package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// CheckRequest returns what is wrong with a request by the contract, or nil.
func (c *Contract) CheckRequest(e *Exchange) error {
	operation, name := c.operation(e.Method, e.Path)
	if operation == "" {
		return fmt.Errorf("there is no %s in the contract", name)
	}
	body, at := c.object(operation.to("requestBody"))
	if body == nil {
		if len(e.RequestBody) > 0 {
			return fmt.Errorf("the request %s has no body", name)
		}
		return nil
	}
	if err := c.checkBody(at, e.RequestHeader, e.RequestBody); err != nil {
		return fmt.Errorf("the request %s: %w", name, err)
	}
	return nil
}

// CheckAnswer returns what is wrong with an answer by the contract, or nil.
func (c *Contract) CheckAnswer(e *Exchange) error {
	operation, name := c.operation(e.Method, e.Path)
	answer, at := c.answer(operation, e.Status)
	if answer == nil {
		return fmt.Errorf("%s has no answer %d", name, e.Status)
	}
	in := func(err error) error { return fmt.Errorf("the answer %d of %s: %w", e.Status, name, err) }
	if err := c.checkHeaders(at, answer, e.Header); err != nil {
		return in(err)
	}
	if answer["content"] == nil || e.Method == http.MethodHead {
		if len(e.Body) > 0 {
			return in(errors.New("there is no body"))
		}
		return nil
	}
	if err := c.checkBody(at, e.Header, e.Body); err != nil {
		return in(err)
	}
	if err := checkProblem(e); err != nil {
		return in(err)
	}
	return nil
}

// answer returns the description of an answer. What has no operation, such as
// an unknown path or another method, is answered with a problem document.
func (c *Contract) answer(operation pointer, status int) (map[string]any, pointer) {
	if operation == "" {
		if status < 400 {
			return nil, ""
		}
		return c.object(pointer("").to("components", "responses", "Problem"))
	}
	answers, at := c.object(operation.to("responses"))
	for _, key := range []string{strconv.Itoa(status), "default"} {
		if _, ok := answers[key]; !ok {
			continue
		}
		if key == "default" && status < 400 {
			break // the default of this contract is an error
		}
		return c.object(at.to(key))
	}
	return nil, ""
}

func (c *Contract) checkHeaders(at pointer, answer map[string]any, got http.Header) error {
	headers, _ := answer["headers"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		header, at := c.object(at.to("headers", name))
		values := got.Values(name)
		if len(values) == 0 {
			if header["required"] == true {
				return fmt.Errorf("header %s is required", name)
			}
			continue
		}
		if len(values) > 1 {
			return fmt.Errorf("header %s is there %d times", name, len(values))
		}
		if err := c.validate(at.to("schema"), values[0]); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	return nil
}

// checkBody checks a body against the content of the object at a pointer.
func (c *Contract) checkBody(at pointer, header http.Header, body []byte) error {
	content, at := c.object(at.to("content"))
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if _, ok := content[mediaType]; !ok || err != nil {
		return fmt.Errorf("Content-Type is %s", strings.Join(slices.Sorted(maps.Keys(content)), " or "))
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is one JSON value: %w", err)
	}
	return c.validate(at.to(mediaType, "schema"), value)
}

func (c *Contract) validate(at pointer, value any) error {
	schema, err := c.schema(at)
	if err != nil {
		return err
	}
	err = schema.Validate(value)
	if broken, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return errors.New(strings.Join(leaves(broken), "; "))
	}
	return err
}

// leaves returns the rules that a value breaks, each with its place.
func leaves(e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		text := e.ErrorKind.LocalizedString(english)
		if len(e.InstanceLocation) > 0 {
			text = strings.Join(e.InstanceLocation, ".") + ": " + text
		}
		return []string{text}
	}
	var all []string
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

// checkProblem checks what a schema cannot say: how the members of a problem
// document belong to the rest of the answer.
func checkProblem(e *Exchange) error {
	if e.Status < 400 {
		return nil
	}
	var problem struct {
		Type      string `json:"type"`
		Status    int    `json:"status"`
		Code      string `json:"code"`
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal(e.Body, &problem); err != nil {
		return err
	}
	switch id := e.Header.Get("X-Request-ID"); {
	case problem.Status != e.Status:
		return fmt.Errorf("the member status is %d like the answer", e.Status)
	case !strings.HasSuffix(problem.Type, "/"+problem.Code):
		return errors.New("the member type ends with the code")
	case problem.RequestID != id:
		return fmt.Errorf("the member request_id is %q like the header X-Request-ID", id)
	}
	return nil
}
