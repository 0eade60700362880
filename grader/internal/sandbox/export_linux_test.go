package sandbox

import (
	"errors"
	"testing"
)

// WithoutNamespaces makes the rest of t see a system that has none.
func WithoutNamespaces(t *testing.T) {
	before := namespaces
	namespaces = func() error { return errors.New("switched off by a test") }
	t.Cleanup(func() { namespaces = before })
}

// Namespaces says why this system has none, or nil.
func Namespaces() error { return namespaces() }
