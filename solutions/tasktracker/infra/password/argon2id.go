//course:since m04b

// Package password hashes passwords with Argon2id (RFC 9106).
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Params are what a hash costs.
type Params struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// Default is the first recommendation of the OWASP Password Storage Cheat Sheet:
// 19 MiB, 2 passes, 1 lane.
var Default = Params{MemoryKiB: 19 << 10, Passes: 2, Lanes: 1}

const (
	saltLen = 16
	keyLen  = 32

	// What a stored hash may cost: one that somebody made larger must not stop
	// the service.
	maxMemoryKiB = 1 << 20
	maxPasses    = 100
)

// ErrCorruptHash means that a text is no hash that this package has made.
var ErrCorruptHash = errors.New("password: corrupt hash")

// Hasher makes and checks hashes, at most one for each CPU at a time: every one
// of them needs its memory, and more at once would only make all of them slow.
// It is safe for concurrent use.
type Hasher struct {
	params Params
	slots  chan struct{}
}

// New returns a Hasher for new hashes of these costs.
func New(p Params) *Hasher {
	return &Hasher{params: p, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// Hash returns the hash of a password with a new salt, in the PHC string format:
// $argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails
	key, err := h.key(ctx, password, salt, h.params)
	if err != nil {
		return "", err
	}
	return encode(h.params, salt, key), nil
}

// Verify reports whether hash is that of password, computed with the costs in
// hash. If it is, outdated reports whether a new hash would cost more. It
// returns [ErrCorruptHash] for a text that Hash cannot have made.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	p, salt, want, err := decode(hash)
	if err != nil {
		return false, false, err
	}
	got, err := h.key(ctx, password, salt, p)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want) == 1
	return ok, ok && (p.MemoryKiB < h.params.MemoryKiB || p.Passes < h.params.Passes), nil
}

func (h *Hasher) key(ctx context.Context, password string, salt []byte, p Params) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, p.Passes, p.MemoryKiB, p.Lanes, keyLen), nil
}

const format = "$argon2id$v=19$m=%d,t=%d,p=%d$"

var b64 = base64.RawStdEncoding.Strict()

func encode(p Params, salt, key []byte) string {
	return fmt.Sprintf(format, p.MemoryKiB, p.Passes, p.Lanes) + b64.EncodeToString(salt) + "$" + b64.EncodeToString(key)
}

func decode(hash string) (p Params, salt, key []byte, err error) {
	fields := strings.Split(hash, "$")
	if len(fields) != 6 {
		return p, nil, nil, ErrCorruptHash
	}
	var lanes uint32
	_, err0 := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Passes, &lanes)
	salt, err1 := b64.DecodeString(fields[4])
	key, err2 := b64.DecodeString(fields[5])
	p.Lanes = uint8(min(lanes, math.MaxUint8))
	switch {
	case errors.Join(err0, err1, err2) != nil,
		p.Lanes == 0, p.Passes == 0, p.Passes > maxPasses, p.MemoryKiB > maxMemoryKiB,
		len(salt) != saltLen, len(key) != keyLen,
		encode(p, salt, key) != hash: // Sscanf is lenient
		return Params{}, nil, nil, ErrCorruptHash
	}
	return p, salt, key, nil
}
