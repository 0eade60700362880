// Package pagination cuts ordered listings into pages. A page ends with a cursor
// that says which item was the last one, not how many there were.
package pagination

import (
	"errors"
	"iter"
)

// MinKeyLen is the least number of bytes of a signing key.
const MinKeyLen = 32

// Version is what the text of every cursor begins with.
const Version = "v2."

// ErrInvalidCursor reports a text that is not a cursor of this query.
var ErrInvalidCursor = errors.New("invalid cursor")

// Sort is the order of a listing.
type Sort struct {
	Field string
	Desc  bool
}

// Key is the place of an item in a listing.
type Key struct {
	Value string // what is sorted by, as a text that sorts like it
	Null  bool   // there is no value, and Value is ""
	ID    string // unique in the listing
}

// Compare returns a negative number if a comes before b in a listing, a positive
// one if it comes after b, and 0 if the keys are equal. Values are compared byte
// by byte, equal ones by ID, both in the direction of s. A key without a value
// comes after all others in both directions.
func (s Sort) Compare(a, b Key) int {
	return 0
}

// After returns the items that come after last, or all if last is nil. The item
// of last need not be there any more. sorted is ordered by s.Compare. After and
// its sequence call key O(log len(sorted)) times.
func After[T any](sorted []T, s Sort, last *Key, key func(T) Key) iter.Seq[T] {
	return func(yield func(T) bool) {}
}

// Page returns the first limit items, and the key of the last of them if there
// are more. It takes at most limit+1 items from the sequence. If limit is less
// than 1 it takes none and returns nothing.
func Page[T any](items iter.Seq[T], limit int, key func(T) Key) (page []T, next *Key) {
	return nil, nil
}

// Cursor is a place in the listing of one query.
type Cursor struct {
	Sort   Sort
	Filter string // all else that decides which items are listed, and for whom
	Last   Key    // of the last item that the client has got
}

// Codec writes cursors as texts for clients, and reads them again. The texts are
// signed, not encrypted. A Codec is safe for concurrent use.
type Codec struct{}

// NewCodec returns a Codec that signs with the first key and accepts the
// signatures of all. It fails without a key, or if one is shorter than MinKeyLen.
// It keeps copies of the keys.
func NewCodec(keys ...[]byte) (*Codec, error) {
	return nil, errors.ErrUnsupported
}

// Encode returns the text of cur: Version, and then bytes that need no escape in
// a URL. The strings of cur may hold any bytes.
func (c *Codec) Encode(cur Cursor) string {
	return ""
}

// Decode returns the cursor whose text is s. If s is not, byte for byte, what
// Encode returned for a cursor with the order want and with filter, under one of
// the keys, Decode returns the zero Cursor and an error that wraps
// ErrInvalidCursor.
func (c *Codec) Decode(s string, want Sort, filter string) (Cursor, error) {
	return Cursor{}, errors.ErrUnsupported
}
