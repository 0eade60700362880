//course:since m04b

package password_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/middle-go/course/tasktracker/infra/password"
)

// cheap keeps the tests fast; nothing else may use such costs.
var cheap = password.Params{MemoryKiB: 64, Passes: 1, Lanes: 1}

func hash(t *testing.T, h *password.Hasher, text string) string {
	t.Helper()
	encoded, err := h.Hash(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestVerify_KnowsTheRightPasswordOnly(t *testing.T) {
	h := password.New(cheap)
	encoded := hash(t, h, "correct horse")
	for text, want := range map[string]bool{"correct horse": true, "correct horse ": false, "": false, "correct horse\x00": false} {
		ok, outdated, err := h.Verify(t.Context(), encoded, text)
		if ok != want || outdated || err != nil {
			t.Errorf("Verify(%q) = %v, %v, %v; want %v, false, nil", text, ok, outdated, err, want)
		}
	}
}

func TestHash_HasItsOwnSalt(t *testing.T) {
	h := password.New(cheap)
	if a, b := hash(t, h, "same"), hash(t, h, "same"); a == b {
		t.Errorf("two hashes of one password are equal: %s", a)
	}
}

func TestVerify_HashOfLowerCostsIsOutdated(t *testing.T) {
	old := hash(t, password.New(cheap), "secret")
	ok, outdated, err := password.New(password.Params{MemoryKiB: 128, Passes: 1, Lanes: 1}).Verify(t.Context(), old, "secret")
	if !ok || !outdated || err != nil {
		t.Errorf("Verify = %v, %v, %v; want true, true, nil", ok, outdated, err)
	}
}

func TestVerify_RefusesWhatItHasNotMade(t *testing.T) {
	h := password.New(cheap)
	good := hash(t, h, "secret")
	for name, encoded := range map[string]string{
		"empty":          "",
		"other function": strings.Replace(good, "argon2id", "argon2i", 1),
		"other version":  strings.Replace(good, "v=19", "v=16", 1),
		"no passes":      strings.Replace(good, "t=1", "t=0", 1),
		"too many":       strings.Replace(good, "t=1", "t=101", 1),
		"too much":       strings.Replace(good, "m=64", "m=4194304", 1),
		"lanes overflow": strings.Replace(good, "p=1", "p=257", 1),
		"spelt oddly":    strings.Replace(good, "m=64", "m=064", 1),
		"short key":      good[:len(good)-4],
		"newline":        good + "\n",
	} {
		if ok, _, err := h.Verify(t.Context(), encoded, "secret"); ok || !errors.Is(err, password.ErrCorruptHash) {
			t.Errorf("%s: Verify(%q) = %v, %v; want ErrCorruptHash", name, encoded, ok, err)
		}
	}
}

func TestHash_GivesUpWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := password.New(cheap).Hash(ctx, "secret"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash with a context that is done = %v, want its error", err)
	}
}
