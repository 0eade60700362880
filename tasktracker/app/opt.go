package app

// Opt is a field of a [Patch]. JSON Merge Patch (RFC 7396) tells three cases
// apart: the field is absent and stays as it is (the zero Opt), it is null and
// is cleared, or it has a value.
type Opt[T any] struct {
	Set  bool // the field is there
	Null bool // it is there, and it is null; V is the zero value then
	V    T
}

// Some returns an Opt with the value v.
func Some[T any](v T) Opt[T] { return Opt[T]{Set: true, V: v} }

// Null returns an Opt that clears its field.
func Null[T any]() Opt[T] { return Opt[T]{Set: true, Null: true} }
