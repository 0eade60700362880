package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a document in which any two readers see the same.
const (
	maxDepth  = 16
	maxValues = 250_000
)

// strict refuses JSON that is costly to read or that has more than one meaning:
// deep nesting, very many values, a key that stands twice or that differs from
// another in its case, numbers beyond float64, invalid UTF-8.
func strict(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("is not UTF-8")
	}
	s := &scan{dec: json.NewDecoder(bytes.NewReader(data))}
	s.dec.UseNumber()
	if err := s.value(0); err != nil {
		return err
	}
	if _, err := s.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("holds more than one JSON document")
	}
	return nil
}

// scan walks over a document.
type scan struct {
	dec    *json.Decoder
	values int
}

func (s *scan) value(depth int) error {
	s.values++
	switch {
	case depth > maxDepth:
		return fmt.Errorf("is nested more than %d deep", maxDepth)
	case s.values > maxValues:
		return fmt.Errorf("has more than %d values", maxValues)
	}
	token, err := s.dec.Token()
	if errors.Is(err, io.EOF) {
		return errors.New("ends too early")
	}
	if err != nil {
		return fmt.Errorf("is no JSON: %w", err)
	}
	switch t := token.(type) {
	case json.Number:
		return number(t)
	case json.Delim:
		if t == '{' {
			return s.object(depth)
		}
		return s.array(depth)
	}
	return nil
}

func (s *scan) array(depth int) error {
	for s.dec.More() {
		if err := s.value(depth + 1); err != nil {
			return err
		}
	}
	return s.end()
}

func (s *scan) object(depth int) error {
	seen := map[string]bool{}
	for s.dec.More() {
		token, err := s.dec.Token()
		if err != nil {
			return fmt.Errorf("is no JSON: %w", err)
		}
		key, _ := token.(string)
		switch {
		case strings.Trim(key, keyLetters) != "":
			return fmt.Errorf("has the key %.40q; keys are in small letters", key)
		case seen[key]:
			return fmt.Errorf("has the key %.40q twice in one object", key)
		}
		seen[key] = true
		if err := s.value(depth + 1); err != nil {
			return err
		}
	}
	return s.end()
}

// end reads the bracket that closes an array or an object.
func (s *scan) end() error {
	if _, err := s.dec.Token(); err != nil {
		return fmt.Errorf("is no JSON: %w", err)
	}
	return nil
}

// keyLetters are the characters of keys. encoding/json takes a key in another
// case for the same field.
const keyLetters = "abcdefghijklmnopqrstuvwxyz0123456789_-/"

// number refuses what float64 cannot hold, and exponents that cost much to
// compute with.
func number(n json.Number) error {
	_, exponent, _ := strings.Cut(strings.ToLower(n.String()), "e")
	if _, err := n.Float64(); err != nil || len(exponent) > len("-999") || len(n) > 40 {
		return fmt.Errorf("has the number %.40q, which is out of range", n.String())
	}
	return nil
}
