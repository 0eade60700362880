package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Schema is the version of the JSON report. It grows with every incompatible
// change.
const Schema = 1

//go:embed schema/report.schema.json
var jsonSchema []byte

// JSONSchema returns the JSON Schema of the JSON report.
func JSONSchema() []byte { return slices.Clone(jsonSchema) }

// document is the JSON report.
type document struct {
	Schema int `json:"schema"`
	*Summary
}

// writeJSON writes a document that [Read] accepts, whatever the submission has
// made the checks say: what is too much is left out, and the document says so.
func (s *Summary) writeJSON(w io.Writer) error {
	var b bytes.Buffer
	for _, l := range cuts {
		b.Reset()
		enc := json.NewEncoder(&b)
		enc.SetIndent("", "  ")
		if err := enc.Encode(document{Schema, s.cut(l)}); err != nil {
			return err
		}
		if b.Len() <= MaxBytes {
			_, err := b.WriteTo(w)
			return err
		}
	}
	return fmt.Errorf("a JSON report of %d verdicts is larger than %d bytes", len(s.Verdicts)+len(s.Earlier), MaxBytes)
}
