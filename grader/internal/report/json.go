package report

import (
	"encoding/json"
	"io"
)

// Schema is the version of the JSON report. It grows with every incompatible
// change.
const Schema = 1

func (s *Summary) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Schema int `json:"schema"`
		*Summary
	}{Schema, s})
}
