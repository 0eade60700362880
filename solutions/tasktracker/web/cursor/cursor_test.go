//course:since m04a

package cursor_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/middle-go/course/tasktracker/web/cursor"
)

var (
	oldKey = bytes.Repeat([]byte{1}, cursor.MinKeyLen)
	newKey = bytes.Repeat([]byte{2}, cursor.MinKeyLen)

	byDue = cursor.Sort{Field: "due_at", Desc: true}
	place = cursor.Cursor{Sort: byDue, Filter: "usr_ada\nstatus=todo", Last: cursor.Key{Value: "2027-01-01", ID: "tsk_1"}}
)

func newCodec(t *testing.T, keys ...[]byte) *cursor.Codec {
	t.Helper()
	c, err := cursor.NewCodec(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCodec_NothingIsLostOnTheWay(t *testing.T) {
	c := newCodec(t, newKey)
	for _, last := range []cursor.Key{
		place.Last,
		{ID: "tsk_1"},
		{ID: "tsk_1", Null: true},
		{Value: "\x00\xff|\n", ID: "ключ"},
		{Value: strings.Repeat("v", 1000)},
	} {
		want := place
		want.Last = last
		if got, err := c.Decode(c.Encode(want), want.Sort, want.Filter); got != want || err != nil {
			t.Errorf("Decode(Encode(%+v)) = %+v, %v", want, got, err)
		}
	}
}

func TestEncode_NeedsNoEscapeInAQuery(t *testing.T) {
	text := newCodec(t, newKey).Encode(place)
	if !strings.HasPrefix(text, cursor.Version) || url.QueryEscape(text) != text {
		t.Errorf("Encode = %q", text)
	}
}

func TestDecode_RefusesEveryChangedByte(t *testing.T) {
	c := newCodec(t, newKey)
	text := c.Encode(place)
	forged := []string{"", cursor.Version, "v1." + strings.TrimPrefix(text, cursor.Version), text + "A", text + "\n", text + "=", text[:len(text)-1]}
	for i := range text {
		for _, b := range []byte("AZ_") {
			if text[i] != b {
				forged = append(forged, text[:i]+string(b)+text[i+1:])
			}
		}
	}
	for _, s := range forged {
		if got, err := c.Decode(s, place.Sort, place.Filter); got != (cursor.Cursor{}) || !errors.Is(err, cursor.ErrInvalidCursor) {
			t.Errorf("Decode(%q) = %+v, %v; want ErrInvalidCursor", s, got, err)
		}
	}
}

func TestDecode_RefusesTheCursorOfAnotherQuery(t *testing.T) {
	c := newCodec(t, newKey)
	text := c.Encode(place)
	for name, q := range map[string]cursor.Cursor{
		"other column":    {Sort: cursor.Sort{Field: "priority", Desc: true}, Filter: place.Filter},
		"other direction": {Sort: cursor.Sort{Field: "due_at"}, Filter: place.Filter},
		"other user":      {Sort: byDue, Filter: "usr_eve\nstatus=todo"},
	} {
		if _, err := c.Decode(text, q.Sort, q.Filter); !errors.Is(err, cursor.ErrInvalidCursor) {
			t.Errorf("%s: Decode = %v, want ErrInvalidCursor", name, err)
		}
	}
}

// The same bytes in other parts are another query.
func TestDecode_NoByteMovesFromOnePartToTheNext(t *testing.T) {
	c := newCodec(t, newKey)
	text := c.Encode(cursor.Cursor{Sort: cursor.Sort{Field: "a", Desc: true}, Filter: "falseb"})
	if _, err := c.Decode(text, cursor.Sort{Field: "atrue"}, "b"); !errors.Is(err, cursor.ErrInvalidCursor) {
		t.Errorf("Decode with the end of the column moved = %v, want ErrInvalidCursor", err)
	}

	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(c.Encode(place), cursor.Version))
	if err != nil {
		t.Fatal(err)
	}
	payload := raw[sha256.Size:]
	shorter := cursor.Version + base64.RawURLEncoding.EncodeToString(slices.Concat(raw[:sha256.Size], payload[1:]))
	if _, err := c.Decode(shorter, place.Sort, place.Filter+string(payload[:1])); !errors.Is(err, cursor.ErrInvalidCursor) {
		t.Errorf("Decode with the end of the filter moved = %v, want ErrInvalidCursor", err)
	}
}

func TestCodec_OldKeysAreStillRead(t *testing.T) {
	before, during, after := newCodec(t, oldKey), newCodec(t, newKey, oldKey), newCodec(t, newKey)
	if _, err := during.Decode(before.Encode(place), place.Sort, place.Filter); err != nil {
		t.Errorf("during the change a cursor of the old key: %v", err)
	}
	if _, err := after.Decode(during.Encode(place), place.Sort, place.Filter); err != nil {
		t.Errorf("after the change a cursor of the new key: %v", err)
	}
	if _, err := after.Decode(before.Encode(place), place.Sort, place.Filter); !errors.Is(err, cursor.ErrInvalidCursor) {
		t.Errorf("after the change a cursor of the old key: %v, want ErrInvalidCursor", err)
	}
}

func TestNewCodec_KeysAreLongAndItsOwn(t *testing.T) {
	for name, keys := range map[string][][]byte{
		"none":      nil,
		"empty":     {nil},
		"short":     {newKey[1:]},
		"old short": {newKey, oldKey[1:]},
	} {
		if c, err := cursor.NewCodec(keys...); c != nil || err == nil {
			t.Errorf("%s: NewCodec = %v, %v; want an error", name, c, err)
		}
	}

	key := bytes.Clone(newKey)
	c := newCodec(t, key)
	text := c.Encode(place)
	clear(key)
	if _, err := c.Decode(text, place.Sort, place.Filter); err != nil {
		t.Errorf("Decode after the caller cleared the key: %v", err)
	}
}
