package authn_test

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/heaptest"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week08/authn"
)

// The iterations here are for tests. A service takes 600,000.
var hasher = authn.Hasher{Iterations: 3, SaltLen: 16}

const (
	ttl    = time.Hour
	window = 15 * time.Minute
	horse  = "correct horse"
	home   = "192.0.2.1"
)

var errDown = errors.New("database is down")

func TestHash_UniqueSalts(t *testing.T) {
	const do = "h := Hasher{Iterations: 3, SaltLen: 24}\nfor range 200 {\n    h.Hash(\"correct horse\")\n}"
	seen := make(map[string]bool)
	for n := range 200 {
		salt := parse(t, do, hash(t, authn.Hasher{Iterations: 3, SaltLen: 24}, horse)).salt
		seen[string(salt)] = true
		if len(seen) != n+1 || len(salt) != 24 {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("%d different salts in %d hashes, the last one of %d bytes", len(seen), n+1, len(salt)), Want: rule.Text("a new salt of 24 bytes in every hash"),
				Why: "Users who share a password share a hash, and one guess is checked against the whole table at once.",
			})
		}
	}
}

func TestHash_ParametersInEncoding(t *testing.T) {
	for _, h := range []authn.Hasher{{Iterations: 1, SaltLen: 16}, {Iterations: 3, SaltLen: 16}, {Iterations: 1000, SaltLen: 33}} {
		for _, password := range []string{horse, "", "pässwörd", strings.Repeat("x", 65)} {
			do := fmt.Sprintf("h := %s\nh.Hash(%q)", lit(h), password)
			encoded := hash(t, h, password)
			e := parse(t, do, encoded)
			want := encode(t, password, h.Iterations, e.salt)
			if len(e.salt) != h.SaltLen || encoded != want {
				rule.Broken(t, rule.Case{
					Do: do, Got: encoded, Want: rule.Textf("%q, with a salt of %d bytes", want, h.SaltLen),
					Why: "A fast hash is guessed a billion times a second. Whoever verifies this one years later must know what to compute.",
				})
			}
			ok, rehash, err := h.Verify(encoded, password)
			requireVerify(t, do+"\nh.Verify(encoded, password)", ok, rehash, err, true, false)
			ok, rehash, err = h.Verify(encoded, password+"!")
			requireVerify(t, do+"\nh.Verify(encoded, password+\"!\")", ok, rehash, err, false, false)
		}
	}
}

func TestHash_RefusesWeakParameters(t *testing.T) {
	for _, h := range []authn.Hasher{
		{}, {Iterations: 0, SaltLen: 16}, {Iterations: -1, SaltLen: 16}, {Iterations: authn.MaxIterations + 1, SaltLen: 16},
		{Iterations: 3, SaltLen: 15}, {Iterations: 3}, {Iterations: 3, SaltLen: -1},
	} {
		encoded, err := h.Hash(horse)
		if err == nil || errors.Is(err, errors.ErrUnsupported) || encoded != "" {
			rule.Broken(t, rule.Case{
				Do: lit(h) + ".Hash(\"correct horse\")", Got: rule.Textf("%q, error %v", encoded, err), Want: rule.Text(`"" and an error`),
				Why: "A configuration key was misspelt, and the hashes of a whole month have no salt.",
			})
		}
	}
}

func TestVerify_RehashOnWeaker(t *testing.T) {
	now := authn.Hasher{Iterations: 10, SaltLen: 24}
	for _, tc := range []struct {
		stored authn.Hasher
		rehash bool
	}{
		{authn.Hasher{Iterations: 10, SaltLen: 24}, false},
		{authn.Hasher{Iterations: 9, SaltLen: 24}, true},
		{authn.Hasher{Iterations: 10, SaltLen: 23}, true},
		{authn.Hasher{Iterations: 9, SaltLen: 32}, true},
		{authn.Hasher{Iterations: 11, SaltLen: 16}, true},
		{authn.Hasher{Iterations: 11, SaltLen: 24}, false},
		{authn.Hasher{Iterations: 10, SaltLen: 25}, false},
		{authn.Hasher{Iterations: 11, SaltLen: 32}, false},
	} {
		encoded := encode(t, horse, tc.stored.Iterations, bytes.Repeat([]byte{7}, tc.stored.SaltLen))
		do := fmt.Sprintf("// encoded was made by %s\n%s.Verify(encoded, ", lit(tc.stored), lit(now))
		ok, rehash, err := now.Verify(encoded, horse)
		requireVerify(t, do+"\"correct horse\")", ok, rehash, err, true, tc.rehash)
		ok, rehash, err = now.Verify(encoded, "wrong")
		requireVerify(t, do+"\"wrong\")", ok, rehash, err, false, false)
	}
}

func TestVerify_CorruptEncodings(t *testing.T) {
	salt := bytes.Repeat([]byte{7}, 16)
	good := encode(t, horse, 3, salt)
	ok, rehash, err := hasher.Verify(good, horse)
	requireVerify(t, fmt.Sprintf("%s.Verify(%q, \"correct horse\")", lit(hasher), good), ok, rehash, err, true, false)

	b64 := base64.RawStdEncoding
	saltText := b64.EncodeToString(salt)
	keyText := good[strings.LastIndex(good, "$")+1:]
	key, err := b64.DecodeString(keyText)
	if err != nil {
		t.Fatal(err)
	}
	bad := []string{
		"", "$", "$$$$", horse, strings.Repeat("$", 100),
		"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
		good + "$", "$" + good, good + "\n", " " + good, good[1:],
		"$pbkdf2-sha256$i=3$" + saltText + "$",
		"$pbkdf2-sha256$i=3$$" + keyText,
		"$pbkdf2-sha256$i=3$" + saltText,
		"$pbkdf2-sha256$i=3$" + b64.EncodeToString(salt[:15]) + "$" + keyText,
		"$pbkdf2-sha256$i=3$" + saltText + "$" + b64.EncodeToString(key[:31]),
		"$pbkdf2-sha256$i=3$" + saltText + "$" + b64.EncodeToString(key[:1]),
		"$pbkdf2-sha256$i=3$" + saltText + "$" + b64.EncodeToString(append(bytes.Clone(key), 0)),
		"$pbkdf2-sha256$i=3$" + saltText + "$" + keyText + "=",
		"$pbkdf2-sha256$i=3$" + saltText + "$" + keyText[:20] + "\n" + keyText[20:],
		"$pbkdf2-sha256$i=3$" + saltText + "$" + hex.EncodeToString(key),
		"$pbkdf2-sha1$i=3$" + saltText + "$" + keyText,
		"$PBKDF2-SHA256$i=3$" + saltText + "$" + keyText,
		"$pbkdf2-sha256$3$" + saltText + "$" + keyText,
		"$pbkdf2-sha256$n=3$" + saltText + "$" + keyText,
		"x$pbkdf2-sha256$i=3$" + saltText + "$" + keyText,
	}
	for _, i := range []string{"", "0", "-3", "+3", "03", "3.0", "0x3", "3 ", "99999999999999999999", strconv.Itoa(authn.MaxIterations + 1)} {
		bad = append(bad, "$pbkdf2-sha256$i="+i+"$"+saltText+"$"+keyText)
	}
	for _, encoded := range bad {
		for _, password := range []string{horse, ""} {
			ok, rehash, err := hasher.Verify(encoded, password)
			if ok || rehash || !errors.Is(err, authn.ErrCorruptHash) {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("%s.Verify(%q, %q)", lit(hasher), encoded, password),
					Got:  rule.Textf("ok %v, rehash %v, error %v", ok, rehash, err),
					Want: rule.Textf("ok false, rehash false, error %v", authn.ErrCorruptHash),
					Why:  "An import has cut a column. A hash without bytes matches every password, and one with a huge count stops the service.",
				})
			}
		}
	}
}

func TestPassword_LongAndNUL(t *testing.T) {
	for _, n := range []int{8, 55, 56, 63, 64, 65, 71, 72, 73, 128, 1000} {
		password := strings.Repeat("x", n)
		encoded := hash(t, hasher, password)
		do := fmt.Sprintf("encoded, err := h.Hash(strings.Repeat(\"x\", %d))\nh.Verify(encoded, ", n)
		ok, rehash, err := hasher.Verify(encoded, password)
		requireVerify(t, fmt.Sprintf("%sstrings.Repeat(\"x\", %d))", do, n), ok, rehash, err, true, false)
		for _, other := range []struct {
			n    int
			tail string
		}{{n, "x"}, {n, "\n"}, {n, " "}, {n - 1, ""}, {n - 1, "y"}} {
			ok, rehash, err := hasher.Verify(encoded, strings.Repeat("x", other.n)+other.tail)
			requireVerify(t, fmt.Sprintf("%sstrings.Repeat(\"x\", %d) + %q)", do, other.n, other.tail), ok, rehash, err, false, false)
		}
	}

	for _, password := range []string{"\x00", horse + "\x00", "\x00" + horse, "correct\x00horse"} {
		if encoded, err := hasher.Hash(password); encoded != "" || !errors.Is(err, authn.ErrInvalidPassword) {
			rule.Broken(t, rule.Case{
				Do: fmt.Sprintf("h.Hash(%q)", password), Got: rule.Textf("%q, error %v", encoded, err), Want: rule.Textf("\"\", error %v", authn.ErrInvalidPassword),
				Why: "HMAC pads a short key with zeros, and many libraries stop reading at one: two passwords would have one hash.",
			})
		}
	}
	strongest := authn.Hasher{Iterations: authn.MaxIterations, SaltLen: authn.MinSaltLen}
	if encoded, err := strongest.Hash("\x00"); encoded != "" || !errors.Is(err, authn.ErrInvalidPassword) {
		rule.Broken(t, rule.Case{
			Do: lit(strongest) + ".Hash(\"\\x00\")", Got: rule.Textf("%q, error %v", encoded, err), Want: rule.Textf("\"\", error %v", authn.ErrInvalidPassword),
			Why: "These parameters are within the limits, so the password is what is wrong.",
		})
	}
	for _, password := range []string{horse, "", "correct"} {
		encoded := encode(t, password, 3, bytes.Repeat([]byte{7}, 16))
		for _, tail := range []string{"\x00", "\x00\x00", "\x00horse"} {
			ok, rehash, err := hasher.Verify(encoded, password+tail)
			requireVerify(t, fmt.Sprintf("encoded, _ := h.Hash(%q)\nh.Verify(encoded, %q)", password, password+tail), ok, rehash, err, false, false)
		}
	}
}

func TestLogin_UnknownUserDoesSameWork(t *testing.T) {
	const why = "An answer that comes 300 ms earlier tells a stranger who is a customer."
	w := newWorld(t, authn.Throttle{})
	for _, tc := range []struct{ email, why string }{
		{"ann@example.org", "One login is one check of a password."},
		{"nobody@example.org", why},
		{"", why},
	} {
		w.passwords.reset()
		w.login(tc.email, "wrong", home)
		if got := w.passwords.counts(); got != "Verify: 1, of hashes that Hash made: 1, Hash: 0" {
			rule.Broken(t, rule.Case{
				Do: w.do(), Got: rule.Textf("calls in the last login: %s", got), Want: rule.Text("calls in the last login: Verify: 1, of hashes that Hash made: 1, Hash: 0"), Why: tc.why,
			})
		}
	}

	w = newWorld(t, authn.Throttle{})
	w.passwords.always = true
	w.do("// every Verify returns true")
	w.require("nobody@example.org", "wrong", home, authn.ErrBadCredentials, "Who guesses the password of the hash that belongs to nobody becomes the user without an id.")
	w.require("ann@example.org", "wrong", home, nil, "This user exists.")
}

func TestLogin_SameErrorForBoth(t *testing.T) {
	w := newWorld(t, authn.Throttle{Max: 2, Window: window})
	const why = "A form that says \"no such user\" is a list of customers."
	for n := range 4 {
		knownToken, knownExp, known := w.login("ann@example.org", "wrong", fmt.Sprintf("192.0.2.%d", n))
		token, exp, unknown := w.login("nobody@example.org", "wrong", fmt.Sprintf("198.51.100.%d", n))
		want := authn.ErrBadCredentials
		if n >= 2 {
			want = authn.ErrThrottled
		}
		if !errors.Is(known, want) || !errors.Is(unknown, want) || known.Error() != unknown.Error() || knownToken+token != "" || !knownExp.IsZero() || !exp.IsZero() {
			rule.Broken(t, rule.Case{
				Do:   w.do(),
				Got:  rule.Textf("known user: %q, %v, error %v; unknown user: %q, %v, error %v", knownToken, knownExp, known, token, exp, unknown),
				Want: rule.Textf("no token, the zero time and the same error for both: %v", want), Why: why,
			})
		}
	}
	if calls := w.users.calls; calls["ann@example.org"] != calls["nobody@example.org"] || calls["ann@example.org"] != 2 {
		rule.Broken(t, rule.Case{Do: w.do(), Got: rule.Textf("calls of ByEmail: %v", calls), Want: rule.Text("2 for each of them"), Why: why})
	}
}

func TestLogin_EmailCaseAndSpace(t *testing.T) {
	for _, email := range []string{"ann@example.org", "Ann@Example.ORG", " ann@example.org", "ann@example.org\r\n", "\t ANN@EXAMPLE.ORG\u00a0"} {
		w := newWorld(t, authn.Throttle{Max: 3, Window: window})
		token := w.require(email, horse, home, nil, "The phone wrote the address with a capital letter.")
		if userID, err := w.sessions.Authenticate(t.Context(), token); userID != "usr_ann" || err != nil {
			rule.Broken(t, rule.Case{Do: w.do() + "\ns.Authenticate(ctx, token)", Got: rule.Textf("%q, error %v", userID, err), Want: "usr_ann", Why: "The token is of this user."})
		}
		if want := map[string]int{"ann@example.org": 1}; !cmp.Equal(w.users.calls, want) {
			rule.Broken(t, rule.Case{Do: w.do(), Got: rule.Textf("calls of ByEmail: %v", w.users.calls), Want: rule.Textf("calls of ByEmail: %v", want), Why: "The table has one spelling of each address."})
		}
	}
	w := newWorld(t, authn.Throttle{})
	w.require("ann@example.org", " "+horse, home, authn.ErrBadCredentials, "A password is taken as it is.")
	w.require("ann@example.org", strings.ToUpper(horse), home, authn.ErrBadCredentials, "A password is taken as it is.")
}

func TestLogin_ThrottleExactBoundary(t *testing.T) {
	lim := authn.Throttle{Max: 3, Window: window}
	const why = "The limit is what stands between a weak password and a list of the thousand most common ones."
	t.Run("one account from many addresses", func(t *testing.T) {
		w := newWorld(t, lim)
		for n := range 3 {
			w.require("ann@example.org", "wrong", fmt.Sprintf("192.0.2.%d", n), authn.ErrBadCredentials, why)
			w.later(time.Minute)
		}
		w.passwords.reset()
		for n := range 5 { // 3 to 7 minutes after the first guess; a refused one does not count
			w.require("ann@example.org", horse, fmt.Sprintf("198.51.100.%d", n), authn.ErrThrottled, why)
			w.later(time.Minute)
		}
		if got := w.passwords.counts(); got != "Verify: 0, of hashes that Hash made: 0, Hash: 0" || w.users.calls["ann@example.org"] != 3 {
			rule.Broken(t, rule.Case{
				Do: w.do(), Got: rule.Textf("calls in the refused logins: %s; of ByEmail: %d", got, w.users.calls["ann@example.org"]-3), Want: rule.Text("none"),
				Why: "A refused login must be cheap, or the limit invites to a flood.",
			})
		}
		w.require("bob@example.org", "wrong", "192.0.2.77", authn.ErrBadCredentials, "Other accounts and addresses are not concerned.")
		w.later(window - 8*time.Minute - 1)
		w.require("ann@example.org", horse, "203.0.113.1", authn.ErrThrottled, why)
		w.later(1)
		w.require("ann@example.org", "wrong", "203.0.113.1", authn.ErrBadCredentials, "The first attempt was a window ago and counts no more. Those that were refused since then never counted.")
		w.require("ann@example.org", horse, "203.0.113.2", authn.ErrThrottled, why)
		w.later(time.Minute)
		w.require("ann@example.org", horse, "203.0.113.2", nil, "The second attempt was a window ago and counts no more.")
	})
	t.Run("many accounts from one address", func(t *testing.T) {
		w := newWorld(t, lim)
		for n := range 3 {
			w.require(fmt.Sprintf("user%d@example.org", n), "123456", home, authn.ErrBadCredentials, why)
		}
		w.require("ann@example.org", horse, home, authn.ErrThrottled, "One password for every account is one guess for each of them, and many for the address.")
		w.require("ann@example.org", "wrong", "192.0.2.2", authn.ErrBadCredentials, "Other addresses are not concerned.")
		w.later(window - 1)
		w.require("ann@example.org", horse, home, authn.ErrThrottled, why)
		w.later(1)
		w.require("ann@example.org", horse, home, nil, why)
	})
	t.Run("an account is no address", func(t *testing.T) {
		w := newWorld(t, authn.Throttle{Max: 1, Window: window})
		w.require("x", "wrong", "y", authn.ErrBadCredentials, why)
		w.require("y", "wrong", "x", authn.ErrBadCredentials, "Names of accounts must not block addresses.")
	})
	t.Run("no limit", func(t *testing.T) {
		for _, limit := range []int{0, -1} {
			w := newWorld(t, authn.Throttle{Max: limit, Window: window})
			for range 5 {
				w.require("ann@example.org", "wrong", home, authn.ErrBadCredentials, "A Max below 1 is no limit.")
			}
		}
	})
}

func TestLogin_SuccessResetsCounter(t *testing.T) {
	lim := authn.Throttle{Max: 3, Window: window}
	t.Run("of the account", func(t *testing.T) {
		w := newWorld(t, lim)
		for n := range 4 {
			for k := range 2 {
				w.require("ann@example.org", "wrong", fmt.Sprintf("192.0.2.%d", 2*n+k), authn.ErrBadCredentials, "A login that succeeded has forgotten the attempts before it.")
			}
			w.require("ann@example.org", horse, "203.0.113.1", nil, "Who mistypes the password twice each morning must not be locked out on Thursday.")
		}
	})
	t.Run("not of the address", func(t *testing.T) {
		w := newWorld(t, lim)
		const why = "The thief has an account too. If his own login cleared the address, he would guess for ever."
		for n := range 3 {
			w.require("bob@example.org", "bob's own", home, nil, "A login that succeeds does not count for its address.")
			w.require(fmt.Sprintf("victim%d@example.org", n), "123456", home, authn.ErrBadCredentials, why)
		}
		w.require("bob@example.org", "bob's own", home, authn.ErrThrottled, why)
	})
}

func TestLogin_ThrottleNotABypassByCase(t *testing.T) {
	for _, account := range []string{"ann", "nobody"} {
		w := newWorld(t, authn.Throttle{Max: 3, Window: window})
		for n, email := range []string{account + "@example.org", strings.ToUpper(account) + "@example.org", " " + account + "@EXAMPLE.org", account + "@Example.org\t", account + "@example.org"} {
			want := authn.ErrBadCredentials
			if n >= 3 {
				want = authn.ErrThrottled
			}
			w.require(email, "wrong", fmt.Sprintf("192.0.2.%d", n), want, "An address of 15 letters has 32,768 spellings, and each of them would have guesses of its own.")
		}
	}
}

// TestLogin_ParallelGuesses holds every check of a password at a gate, so all
// logins are under way at the same time.
func TestLogin_ParallelGuesses(t *testing.T) {
	t.Run("a burst", func(t *testing.T) {
		const clients, limit = 50, 5
		const do = `s, _ := NewSessions(users, passwords, clock, time.Hour, Throttle{Max: 5, Window: 15 * time.Minute})
for range 50 { // Verify does not return yet
    go s.Login(ctx, "ann@example.org", "wrong", "192.0.2.1")
}`
		w := newWorld(t, authn.Throttle{Max: limit, Window: window})
		entered, gate := make(chan struct{}, clients), make(chan struct{})
		w.passwords.enter = func() { entered <- struct{}{}; <-gate }
		var wg sync.WaitGroup
		release := sync.OnceFunc(func() { close(gate); wg.Wait() })
		defer release()

		errs := make(chan error, clients)
		for range clients {
			wg.Go(func() {
				_, _, err := w.sessions.Login(context.Background(), "ann@example.org", "wrong", home)
				errs <- err
			})
		}
		checked, refused := 0, 0
		watchdog := time.After(5 * time.Second)
		for checked+refused < clients {
			select {
			case <-entered:
				if checked++; checked > limit {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Text("Verify is called for a sixth login"), Want: rule.Text("5 calls of Verify, and ErrThrottled for the others"),
						Why: "A thousand guesses at the same time are a thousand guesses. None of them has failed yet.",
					})
				}
			case err := <-errs:
				if !errors.Is(err, authn.ErrThrottled) {
					rule.Broken(t, rule.Case{Do: do, Got: err, Want: authn.ErrThrottled, Why: "No check has ended yet, so nobody has an answer but those who are refused."})
				}
				refused++
			case <-watchdog:
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%d calls of Verify and %d refused logins, then nothing", checked, refused), Want: rule.Text("5 calls of Verify at the same time, 45 refused logins"),
					Why: "A hash takes 300 ms. Behind a lock, the whole service signs in three users a second.",
				})
			}
		}
		release()
		for range limit {
			if err := <-errs; !errors.Is(err, authn.ErrBadCredentials) {
				rule.Broken(t, rule.Case{Do: do + "\n// Verify returns false", Got: err, Want: authn.ErrBadCredentials})
			}
		}
	})
	t.Run("two at once", func(t *testing.T) {
		w := newWorld(t, authn.Throttle{Max: 1, Window: window})
		for n := range 100 {
			var errs [2]error
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i := range errs {
				wg.Go(func() {
					<-start
					_, _, errs[i] = w.sessions.Login(t.Context(), fmt.Sprintf("user%d@example.org", n), "wrong", fmt.Sprint(n, i))
				})
			}
			close(start)
			wg.Wait()
			throttled := 0
			for _, err := range errs {
				if errors.Is(err, authn.ErrThrottled) {
					throttled++
				}
			}
			if throttled != 1 {
				rule.Broken(t, rule.Case{
					Do:   "s, _ := NewSessions(users, passwords, clock, time.Hour, Throttle{Max: 1, Window: 15 * time.Minute})\nfor range 2 {\n    go s.Login(ctx, \"user@example.org\", \"wrong\", remote) // from different addresses\n}",
					Got:  rule.Textf("errors %v and %v", errs[0], errs[1]),
					Want: rule.Textf("%v once, and %v once", authn.ErrBadCredentials, authn.ErrThrottled),
					Why:  "Two guesses between the question and the count are two guesses for the price of one.",
				})
			}
		}
	})
}

func TestLogin_UpgradesTheHash(t *testing.T) {
	setup := func(t *testing.T) *world {
		w := newWorld(t, authn.Throttle{})
		w.passwords.weak = true
		w.do("// Verify returns rehash true for a right password")
		w.passwords.reset()
		return w
	}
	t.Run("after a right password", func(t *testing.T) {
		w := setup(t)
		before := w.users.byEmail["ann@example.org"].PasswordHash
		w.require("ann@example.org", "wrong", home, authn.ErrBadCredentials, "")
		if w.users.replaced != nil {
			rule.Broken(t, rule.Case{Do: w.do(), Got: rule.Textf("ReplaceHash%q", w.users.replaced), Want: rule.Text("no call of ReplaceHash"), Why: "A wrong password would become the right one."})
		}
		w.require("ann@example.org", horse, home, nil, "")
		got := w.users.replaced
		if len(got) != 1 || got[0].id != "usr_ann" || got[0].old != before || got[0].new == before || !w.passwords.hashed(got[0].new, horse) {
			rule.Broken(t, rule.Case{
				Do: w.do(), Got: rule.Textf("calls of ReplaceHash: %+v", got), Want: rule.Textf("one: usr_ann, the hash that was verified, and a new one of %q", horse),
				Why: "The login is the only moment when the service knows the password, so it is the moment to make old hashes stronger.",
			})
		}
	})
	t.Run("failure is no failure of the login", func(t *testing.T) {
		w := setup(t)
		w.users.replaceErr = errDown
		w.do("// ReplaceHash returns an error")
		w.require("ann@example.org", horse, home, nil, "The old hash is still right. The next login tries again.")
		w = setup(t)
		w.passwords.hashErr = errDown
		w.do("// Hash returns an error")
		w.require("ann@example.org", horse, home, nil, "The old hash is still right. The next login tries again.")
		if w.users.replaced != nil {
			rule.Broken(t, rule.Case{Do: w.do(), Got: rule.Textf("ReplaceHash%q", w.users.replaced), Want: rule.Text("no call of ReplaceHash"), Why: "There is no new hash."})
		}
	})
}

func TestLogin_OtherErrors(t *testing.T) {
	for _, tc := range []struct {
		do    string
		fault func(w *world, err error)
	}{
		{"// ByEmail returns an error", func(w *world, err error) { w.users.err = err }},
		{"// Verify returns an error", func(w *world, err error) { w.passwords.verifyErr = err }},
	} {
		w := newWorld(t, authn.Throttle{Max: 2, Window: window})
		w.do(tc.do)
		tc.fault(w, errDown)
		for range 5 {
			w.require("ann@example.org", horse, home, errDown, "A database that is down must neither look like a wrong password nor lock all users out.")
		}
		tc.fault(w, nil)
		w.do("// no error any more")
		w.require("ann@example.org", "wrong", home, authn.ErrBadCredentials, "Attempts that nobody could answer do not count.")
		w.require("ann@example.org", horse, home, nil, "Attempts that nobody could answer do not count.")
	}

	w := newWorld(t, authn.Throttle{})
	w.passwords.hashErr = errDown
	if _, err := authn.NewSessions(w.users, w.passwords, w.clock.now, ttl, authn.Throttle{}); !errors.Is(err, errDown) {
		rule.Broken(t, rule.Case{
			Do: "s, err := NewSessions(users, passwords, clock, time.Hour, Throttle{}) // Hash returns an error", Got: err, Want: errDown,
			Why: "A service that cannot hash must not start.",
		})
	}
}

func TestToken_StoredOnlyHashed(t *testing.T) {
	w := newWorld(t, authn.Throttle{Max: 3, Window: window})
	token := w.require("ann@example.org", horse, home, nil, "")
	w.require("ann@example.org", "hunter2!", home, authn.ErrBadCredentials, "")
	if userID, err := w.sessions.Authenticate(t.Context(), token); userID != "usr_ann" || err != nil {
		rule.Broken(t, rule.Case{Do: w.do() + "\ns.Authenticate(ctx, token)", Got: rule.Textf("%q, error %v", userID, err), Want: "usr_ann"})
	}
	secrets := map[string]string{token: "the token", horse: "the password", "hunter2!": "the wrong password"}
	for _, raw := range decodings(token) {
		secrets[raw] = "the bytes of the token"
	}
	for _, part := range dump(w.sessions) {
		for secret, what := range secrets {
			if strings.Contains(part, secret) {
				rule.Broken(t, rule.Case{
					Do: w.do() + "\nfmt.Printf(\"%+v\", s) // all of its memory", Got: rule.Textf("%s is in there", what), Want: rule.Text("only the hash of a token"),
					Why: "A core dump, a backup or one SQL injection gives every session away.",
				})
			}
		}
		for _, forged := range []string{part, hex.EncodeToString([]byte(part)), base64.RawURLEncoding.EncodeToString([]byte(part)), base64.RawStdEncoding.EncodeToString([]byte(part))} {
			if userID, err := w.sessions.Authenticate(t.Context(), forged); err == nil {
				rule.Broken(t, rule.Case{
					Do: w.do() + fmt.Sprintf("\ns.Authenticate(ctx, %q) // found in the memory of s", forged), Got: rule.Textf("%q, error nil", userID), Want: authn.ErrBadCredentials,
					Why: "Whoever reads the table can sign in with what is in it.",
				})
			}
		}
	}
}

func TestToken_Entropy(t *testing.T) {
	const logins = 10_000
	w := newWorld(t, authn.Throttle{})
	tokens := make(map[string]bool, logins)
	var seen []map[byte]bool // by position
	for n := range logins {
		token, _, err := w.sessions.Login(t.Context(), "ann@example.org", horse, home)
		const do = "for range 10_000 {\n    token, _, err := s.Login(ctx, \"ann@example.org\", \"correct horse\", \"192.0.2.1\")\n}"
		if tokens[token] = true; err != nil || len(tokens) != n+1 || strings.Trim(token, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_") != "" {
			rule.Broken(t, rule.Case{
				Do: do, Got: rule.Textf("token number %d: %q, error %v, %d different ones so far", n+1, token, err, len(tokens)), Want: rule.Textf("%d different tokens of A-Z, a-z, 0-9, - and _", n+1),
				Why: "A token goes into headers, cookies and file names as it is, and it has one owner.",
			})
		}
		for i := range len(token) {
			if i == len(seen) {
				seen = append(seen, make(map[byte]bool))
			}
			seen[i][token[i]] = true
		}
	}
	bits := 0.0
	for _, chars := range seen {
		bits += math.Log2(float64(len(chars)))
	}
	if bits < 128 {
		rule.Broken(t, rule.Case{
			Do: "for range 10_000 {\n    token, _, _ := s.Login(ctx, \"ann@example.org\", \"correct horse\", \"192.0.2.1\")\n}", Got: rule.Textf("tokens of at most %.0f random bits", bits), Want: rule.Text("128 bits or more"),
			Why: "A token that can be guessed needs no password.",
		})
	}
}

func TestAuthenticate_ExpiredAndRevoked(t *testing.T) {
	w := newWorld(t, authn.Throttle{})
	token, exp, err := w.login("ann@example.org", horse, home)
	if want := w.clock.now().Add(ttl); err != nil || !exp.Equal(want) {
		rule.Broken(t, rule.Case{Do: w.do(), Got: rule.Textf("exp %v, error %v", exp, err), Want: rule.Textf("exp %v: an hour from now on the clock", want), Why: "The client renews its session when the answer says so."})
	}
	other := w.require("ann@example.org", horse, home, nil, "One user has many devices.")
	bob := w.require("bob@example.org", "bob's own", home, nil, "")
	authenticate := func(token, name, want string, wantErr error, why string) {
		t.Helper()
		userID, err := w.sessions.Authenticate(t.Context(), token)
		if userID != want || !errors.Is(err, wantErr) {
			rule.Broken(t, rule.Case{
				Do: w.do() + "\ns.Authenticate(ctx, " + name + ")", Got: rule.Textf("%q, error %v", userID, err), Want: rule.Textf("%q, error %v", want, wantErr), Why: why,
			})
		}
	}
	revoke := func(token, name string) {
		t.Helper()
		w.do("s.Revoke(ctx, " + name + ")")
		if err := w.sessions.Revoke(t.Context(), token); err != nil {
			rule.Broken(t, rule.Case{Do: w.do(), Got: err, Want: nil, Why: "A logout that is repeated has already done what was asked for."})
		}
	}
	authenticate(token, "token 1", "usr_ann", nil, "")
	authenticate(other, "token 2", "usr_ann", nil, "")
	authenticate(bob, "token 3", "usr_bob", nil, "")
	authenticate("", `""`, "", authn.ErrBadCredentials, "")
	revoke("never existed", `"never existed"`)
	for range 2 {
		revoke(other, "token 2")
		authenticate(other, "token 2", "", authn.ErrBadCredentials, "The laptop was stolen.")
		authenticate(token, "token 1", "usr_ann", nil, "A logout on one device ends one session.")
	}
	w.later(ttl - 1)
	authenticate(token, "token 1", "usr_ann", nil, "The session lasts for its whole time.")
	authenticate(bob, "token 3", "usr_bob", nil, "")
	w.later(1)
	authenticate(token, "token 1", "", authn.ErrExpired, "At exp the session has ended. The client must learn that it can sign in again.")
	authenticate(other, "token 2", "", authn.ErrBadCredentials, "What was revoked stays revoked.")
	w.later(ttl - 1)
	w.require("ann@example.org", horse, home, nil, "")
	authenticate(bob, "token 3", "", authn.ErrExpired, "A use does not extend a session.")
	revoke(bob, "token 3")
	authenticate(bob, "token 3", "", authn.ErrBadCredentials, "")
}

// TestAuthenticate_ConstantTimeLookup: a look-up by the hash of the whole token
// has no near miss.
func TestAuthenticate_ConstantTimeLookup(t *testing.T) {
	w := newWorld(t, authn.Throttle{})
	for range 4 {
		token := w.require("ann@example.org", horse, home, nil, "")
		misses := []string{token + "A", token + "=", token + "\x00", token + "\n", " " + token, "A" + token, token + token, strings.ToLower(token), strings.ToUpper(token), hashText(token)}
		for i := range len(token) {
			misses = append(misses, token[:i], token[i+1:])
			for _, c := range []byte("AZaz09-_") {
				misses = append(misses, token[:i]+string(c)+token[i+1:])
			}
			for bit := range 8 {
				misses = append(misses, token[:i]+string([]byte{token[i] ^ 1<<bit})+token[i+1:])
			}
			misses = append(misses, token[:i]+"\n"+token[i:])
		}
		for _, miss := range misses {
			if miss == token {
				continue
			}
			if userID, err := w.sessions.Authenticate(t.Context(), miss); userID != "" || !errors.Is(err, authn.ErrBadCredentials) {
				rule.Broken(t, rule.Case{
					Do: w.do() + fmt.Sprintf(" // %q\ns.Authenticate(ctx, %q)", token, miss), Got: rule.Textf("%q, error %v", userID, err), Want: authn.ErrBadCredentials,
					Why: "A token has one spelling. A second one gets past every list of revoked tokens, and a prefix can be guessed piece by piece.",
				})
			}
		}
		if userID, err := w.sessions.Authenticate(t.Context(), token); userID != "usr_ann" || err != nil {
			rule.Broken(t, rule.Case{Do: w.do() + "\ns.Authenticate(ctx, token)", Got: rule.Textf("%q, error %v", userID, err), Want: "usr_ann"})
		}
	}
}

func TestSessions_MemoryBounded(t *testing.T) {
	const n, size = 1024, 16 << 10
	big := func(s string, i int) string { return fmt.Sprintf("%d@", i) + strings.Repeat(s, size) }
	w := newWorld(t, authn.Throttle{Max: 3, Window: window})
	w.users.anyone = true // the id of a user is the e-mail address
	fill := func(password string, want error) int64 {
		_, held := heaptest.Held(func() int {
			for i := range n {
				if _, _, err := w.sessions.Login(t.Context(), big("x", i), password, big("y", i)); !errors.Is(err, want) {
					rule.Broken(t, rule.Case{Do: "s.Login(ctx, email, password, remote) // a new user from a new address", Got: err, Want: want})
				}
			}
			return 0
		})
		return held
	}
	const do = "for range 1024 { // new e-mail addresses and remotes of 16 KiB\n    s.Login(ctx, email, %s, remote)\n}"
	bounded := func(what string, left int64, why string) {
		t.Helper()
		if left > n*size/4 {
			rule.Broken(t, rule.Case{Do: what, Got: rule.Textf("%d KiB are held", left>>10), Want: rule.Textf("less than %d KiB", n*size/4>>10), Why: why})
		}
	}
	free := func() int64 {
		_, freed := heaptest.Held(func() int {
			for range 2 {
				w.clock.later(ttl + window)
				_, _, _ = w.sessions.Login(t.Context(), "ann@example.org", horse, home)
			}
			return 0
		})
		return freed
	}
	const later = "\n// twice ttl and window later, after two more logins:"
	held := fill("wrong", authn.ErrBadCredentials)
	bounded(fmt.Sprintf(do, `"wrong"`)+later, held+free(), "A robot tries a million addresses a day. Their counters live until the pod is killed.")
	held = fill(horse, nil)
	bounded(fmt.Sprintf(do, `"correct horse"`)+later, held+free(), "Nobody asks for the old token again, so nobody ever looks at its session.")

	for range 3 {
		_, _, _ = w.sessions.Login(t.Context(), "x", "wrong", home)
	}
	_, held = heaptest.Held(func() int {
		for i := range n {
			if _, _, err := w.sessions.Login(t.Context(), big("x", i), "wrong", home); !errors.Is(err, authn.ErrThrottled) {
				rule.Broken(t, rule.Case{Do: "s.Login(ctx, email, \"wrong\", \"192.0.2.1\") // after three guesses from this address", Got: err, Want: authn.ErrThrottled})
			}
		}
		return 0
	})
	bounded("for range 1024 { // new e-mail addresses of 16 KiB, one remote that is throttled\n    s.Login(ctx, email, \"wrong\", \"192.0.2.1\")\n}", held,
		"A refused login is free for the attacker. It must not cost memory.")
	runtime.KeepAlive(w)
}

func TestSessions_ConcurrentUse(t *testing.T) {
	w := newWorld(t, authn.Throttle{Max: 1000, Window: window})
	results := make([]string, 8)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			for range 20 {
				token, _, err1 := w.sessions.Login(t.Context(), "ann@example.org", horse, home)
				userID, err2 := w.sessions.Authenticate(t.Context(), token)
				err3 := w.sessions.Revoke(t.Context(), token)
				_, err4 := w.sessions.Authenticate(t.Context(), token)
				if err := errors.Join(err1, err2, err3); err != nil || userID != "usr_ann" || !errors.Is(err4, authn.ErrBadCredentials) {
					results[i] = fmt.Sprintf("%q, errors %v and after Revoke %v", userID, err, err4)
				}
			}
		})
	}
	wg.Wait()
	for _, got := range results {
		if got != "" {
			rule.Broken(t, rule.Case{
				Do: "// 8 goroutines:\ntoken, _, _ := s.Login(...)\ns.Authenticate(ctx, token)\ns.Revoke(ctx, token)\ns.Authenticate(ctx, token)", Got: rule.Text(got), Want: rule.Text(`"usr_ann", no error, and ErrBadCredentials after Revoke`),
				Why: "Every request authenticates.",
			})
		}
	}
}

// world is a Sessions with its surroundings, and what was done to it.
type world struct {
	t         *testing.T
	users     *users
	passwords *passwords
	clock     *clock
	sessions  *authn.Sessions
	log       []string
}

func newWorld(t *testing.T, lim authn.Throttle) *world {
	t.Helper()
	w := &world{
		t:         t,
		passwords: &passwords{made: make(map[string]bool)},
		clock:     &clock{at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)},
	}
	w.users = &users{
		calls: make(map[string]int),
		byEmail: map[string]authn.User{
			"ann@example.org": {ID: "usr_ann", Email: "ann@example.org", PasswordHash: w.passwords.make(horse)},
			"bob@example.org": {ID: "usr_bob", Email: "bob@example.org", PasswordHash: w.passwords.make("bob's own")},
		},
		template: authn.User{PasswordHash: w.passwords.make(horse)},
	}
	w.do(fmt.Sprintf("s, err := NewSessions(users, passwords, clock, time.Hour, Throttle{Max: %d, Window: 15 * time.Minute})", lim.Max))
	var err error
	w.sessions, err = authn.NewSessions(w.users, w.passwords, w.clock.now, ttl, lim)
	if err != nil {
		rule.Broken(t, rule.Case{Do: w.do(), Got: err, Want: nil})
	}
	return w
}

// do adds lines to the protocol and returns all of it.
func (w *world) do(lines ...string) string {
	w.log = append(w.log, lines...)
	const most = 8
	if len(w.log) > most {
		return strings.Join(append([]string{w.log[0], "// ..."}, w.log[len(w.log)-most:]...), "\n")
	}
	return strings.Join(w.log, "\n")
}

func (w *world) login(email, password, remote string) (string, time.Time, error) {
	w.t.Helper()
	w.do(fmt.Sprintf("token, exp, err := s.Login(ctx, %q, %q, %q)", email, password, remote))
	return w.sessions.Login(w.t.Context(), email, password, remote)
}

// require fails the test unless a login ends with want. It returns the token.
func (w *world) require(email, password, remote string, want error, why string) string {
	w.t.Helper()
	token, _, err := w.login(email, password, remote)
	if !errors.Is(err, want) || (err == nil) != (token != "") {
		if why == "" {
			why = "Who knows the password gets in, and nobody else."
		}
		wanted := rule.Text("a token, error <nil>")
		if want != nil {
			wanted = rule.Textf("no token, error %v", want)
		}
		rule.Broken(w.t, rule.Case{Do: w.do(), Got: rule.Textf("token %q, error %v", token, err), Want: wanted, Why: why})
	}
	return token
}

func (w *world) later(d time.Duration) {
	w.do(fmt.Sprintf("// %v later:", d))
	w.clock.later(d)
}

// passwords stands for a Hasher: its hashes are different each time, and it
// knows which of them it has made.
type passwords struct {
	always, weak       bool
	verifyErr, hashErr error
	enter              func()

	mu                          sync.Mutex
	made                        map[string]bool
	serial, verified, own, hash int
}

func (p *passwords) make(password string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serial++
	encoded := fmt.Sprintf("%06d$%s", p.serial, hashText(password))
	p.made[encoded] = true
	return encoded
}

func (p *passwords) hashed(encoded, password string) bool {
	_, sum, _ := strings.Cut(encoded, "$")
	return sum == hashText(password)
}

func (p *passwords) Hash(password string) (string, error) {
	p.mu.Lock()
	p.hash++
	p.mu.Unlock()
	if p.hashErr != nil {
		return "", p.hashErr
	}
	return p.make(password), nil
}

func (p *passwords) Verify(encoded, password string) (ok, rehash bool, err error) {
	if p.enter != nil {
		p.enter()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.verified++
	if p.made[encoded] {
		p.own++
	}
	if p.verifyErr != nil {
		return false, false, p.verifyErr
	}
	ok = p.always || p.hashed(encoded, password)
	return ok, ok && p.weak, nil
}

func (p *passwords) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.verified, p.own, p.hash = 0, 0, 0
}

func (p *passwords) counts() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("Verify: %d, of hashes that Hash made: %d, Hash: %d", p.verified, p.own, p.hash)
}

// users is a table of accounts.
type users struct {
	anyone          bool
	template        authn.User
	err, replaceErr error

	mu       sync.Mutex
	byEmail  map[string]authn.User
	calls    map[string]int
	replaced []replacement
}

type replacement struct{ id, old, new string }

func (u *users) ByEmail(_ context.Context, email string) (authn.User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		return authn.User{}, u.err
	}
	if u.anyone {
		user := u.template
		user.ID, user.Email = email, email
		return user, nil
	}
	u.calls[email]++
	user, ok := u.byEmail[email]
	if !ok {
		return authn.User{}, fmt.Errorf("users: %w", authn.ErrNoUser)
	}
	return user, nil
}

func (u *users) ReplaceHash(_ context.Context, userID, old, new string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.replaced = append(u.replaced, replacement{userID, old, new})
	return u.replaceErr
}

// clock moves only when a test says so.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) later(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type encoding struct {
	iterations int
	salt       []byte
}

// parse reads an encoding as far as a test needs it.
func parse(t *testing.T, do, encoded string) encoding {
	t.Helper()
	fields := strings.Split(encoded, "$")
	if len(fields) == 5 {
		salt, err := base64.RawStdEncoding.DecodeString(fields[3])
		if digits, ok := strings.CutPrefix(fields[2], "i="); ok && err == nil {
			if iterations, err := strconv.Atoi(digits); err == nil {
				return encoding{iterations, salt}
			}
		}
	}
	rule.Broken(t, rule.Case{
		Do: do, Got: encoded, Want: rule.Text("$pbkdf2-sha256$i=<iterations>$<salt>$<key>"),
		Why: "A fast hash is guessed a billion times a second. Whoever verifies this one years later must know what to compute.",
	})
	panic("unreachable")
}

// encode is what Hash has to return for a salt.
func encode(t *testing.T, password string, iterations int, salt []byte) string {
	t.Helper()
	key, err := pbkdf2.Key(sha256.New, password, salt, iterations, 32)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$pbkdf2-sha256$i=%d$%s$%s", iterations, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func hash(t *testing.T, h authn.Hasher, password string) string {
	t.Helper()
	encoded, err := h.Hash(password)
	if err != nil {
		rule.Broken(t, rule.Case{Do: fmt.Sprintf("%s.Hash(%q)", lit(h), password), Got: err, Want: nil})
	}
	return encoded
}

func requireVerify(t *testing.T, do string, ok, rehash bool, err error, wantOK, wantRehash bool) {
	t.Helper()
	if ok == wantOK && rehash == wantRehash && err == nil {
		return
	}
	why := "Two passwords that differ are two passwords. What is cut off is not checked."
	switch {
	case ok && wantOK:
		why = "The login is the moment to make an old hash stronger, and never to make a strong one weaker."
	case !ok && wantOK:
		why = "The user is locked out with the right password."
	}
	rule.Broken(t, rule.Case{
		Do: do, Got: rule.Textf("ok %v, rehash %v, error %v", ok, rehash, err), Want: rule.Textf("ok %v, rehash %v, error <nil>", wantOK, wantRehash), Why: why,
	})
}

func lit(h authn.Hasher) string {
	return fmt.Sprintf("Hasher{Iterations: %d, SaltLen: %d}", h.Iterations, h.SaltLen)
}

func hashText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// decodings returns the bytes that a token may stand for.
func decodings(token string) []string {
	var all []string
	for _, enc := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding} {
		if raw, err := enc.DecodeString(token); err == nil && len(raw) > 8 {
			all = append(all, string(raw))
		}
	}
	if raw, err := hex.DecodeString(token); err == nil && len(raw) > 8 {
		all = append(all, string(raw))
	}
	return all
}

// dump returns every string and every run of bytes that v refers to.
func dump(v any) []string {
	var found []string
	visited := make(map[unsafe.Pointer]bool)
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			found = append(found, v.String())
		case reflect.Pointer:
			if !v.IsNil() && !visited[v.UnsafePointer()] {
				visited[v.UnsafePointer()] = true
				walk(v.Elem())
			}
		case reflect.Interface:
			walk(v.Elem())
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[sync.Map]() && v.CanAddr() {
				m := (*sync.Map)(v.Addr().UnsafePointer())
				m.Range(func(key, value any) bool {
					walk(reflect.ValueOf(key))
					walk(reflect.ValueOf(value))
					return true
				})
				return
			}
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Array, reflect.Slice:
			if v.Type().Elem().Kind() == reflect.Uint8 {
				raw := make([]byte, v.Len())
				for i := range raw {
					raw[i] = byte(v.Index(i).Uint())
				}
				found = append(found, string(raw))
				return
			}
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for it := v.MapRange(); it.Next(); {
				walk(it.Key())
				walk(it.Value())
			}
		}
	}
	walk(reflect.ValueOf(v))
	return found
}
