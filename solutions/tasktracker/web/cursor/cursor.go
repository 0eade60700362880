//course:since m04a

// Package cursor writes down where a page of a listing ends: after which item, not
// after how many. Clients carry the text to the next page and cannot change it.
package cursor

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// Cursor is a place in the listing of one query.
type Cursor struct {
	Sort   Sort
	Filter string // all else that decides which items are listed, and for whom
	Last   Key    // of the last item that the client has got
}

// Codec writes cursors as texts for clients, and reads them again. The texts are
// signed, not encrypted. A Codec is safe for concurrent use.
type Codec struct {
	keys [][]byte
}

// NewCodec returns a Codec that signs with the first key and accepts the
// signatures of all. It fails without a key, or if one is shorter than MinKeyLen.
// It keeps copies of the keys.
func NewCodec(keys ...[]byte) (*Codec, error) {
	if len(keys) == 0 {
		return nil, errors.New("cursor: no key")
	}
	c := &Codec{}
	for i, key := range keys {
		if len(key) < MinKeyLen {
			return nil, fmt.Errorf("cursor: key %d has %d bytes, want at least %d", i, len(key), MinKeyLen)
		}
		c.keys = append(c.keys, bytes.Clone(key))
	}
	return c, nil
}

// Strict refuses texts that differ in their unused bits only.
var encoding = base64.RawURLEncoding.Strict()

// Encode returns the text of cur: Version, and then bytes that need no escape in
// a URL. The strings of cur may hold any bytes.
func (c *Codec) Encode(cur Cursor) string {
	payload := appendKey(nil, cur.Last)
	sum := sign(c.keys[0], cur.Sort, cur.Filter, payload)
	return Version + encoding.EncodeToString(append(sum, payload...))
}

// Decode returns the cursor whose text is s. If s is not, byte for byte, what
// Encode returned for a cursor with the order want and with filter, under one of
// the keys, Decode returns the zero Cursor and an error that wraps
// ErrInvalidCursor.
func (c *Codec) Decode(s string, want Sort, filter string) (Cursor, error) {
	text, ok := strings.CutPrefix(s, Version)
	if !ok || strings.ContainsAny(text, "\r\n") { // which base64 skips
		return Cursor{}, ErrInvalidCursor
	}
	raw, err := encoding.DecodeString(text)
	if err != nil {
		return Cursor{}, ErrInvalidCursor
	}
	payload := raw[min(sha256.Size, len(raw)):]
	signed := slices.ContainsFunc(c.keys, func(key []byte) bool {
		return hmac.Equal(raw, append(sign(key, want, filter, payload), payload...))
	})
	if !signed {
		return Cursor{}, ErrInvalidCursor
	}
	return Cursor{Sort: want, Filter: filter, Last: parseKey(payload)}, nil
}

// sign returns the signature of a payload in its query. Every part is signed
// with its length, so that no byte can move from one part to the next.
func sign(key []byte, s Sort, filter string, payload []byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range []string{Version, s.Field, strconv.FormatBool(s.Desc), filter, string(payload)} {
		mac.Write(appendString(nil, part))
	}
	return mac.Sum(nil)
}

func appendKey(b []byte, k Key) []byte {
	null := byte(0)
	if k.Null {
		null = 1
	}
	b = append(b, null)
	b = appendString(b, k.Value)
	return append(b, k.ID...)
}

// parseKey reads what appendKey has written. Its signature says that nobody else
// has, so it checks nothing.
func parseKey(b []byte) Key {
	size, n := binary.Uvarint(b[1:])
	value, id := b[1+n:][:size], b[1+n:][size:]
	return Key{Value: string(value), Null: b[0] == 1, ID: string(id)}
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
