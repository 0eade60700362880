// Package week08_test holds the examples of the lesson in README.md, and checks
// that the lesson quotes them correctly.
package week08_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/middle-go/course/module1/internal/lesson"
)

func TestREADME_QuotesThisFile(t *testing.T) { lesson.Check(t) }

// 1. What does a signature say?

func Example_shiftedPage() {
	feed := []string{"f", "e", "d", "c", "b", "a"} // newest first
	fmt.Println(feed[:3])

	feed = slices.Insert(feed, 0, "h", "g") // two events arrive
	byOffset := feed[3:6]
	fmt.Println(byOffset)

	after := slices.IndexFunc(feed, func(e string) bool { return e < "d" })
	byKey := feed[after : after+3]
	fmt.Println(byKey)
	// Output:
	// [f e d]
	// [e d c]
	// [c b a]
}

// sign returns text with its signature in front of it.
func sign(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)) + "." + text
}

// valid reports whether signed is what sign returned for key and some text.
func valid(key []byte, signed string) bool {
	_, text, _ := strings.Cut(signed, ".")
	return hmac.Equal([]byte(signed), []byte(sign(key, text)))
}

func Example_purpose() {
	root := []byte("32 random bytes, read at startup")

	link := sign(root, "usr_7")    // one team: a link to unsubscribe, in each newsletter
	fmt.Println(valid(root, link)) // another team: a session cookie that says who you are

	forLinks, _ := hkdf.Key(sha256.New, root, nil, "unsubscribe link", 32)
	forCookies, _ := hkdf.Key(sha256.New, root, nil, "session cookie", 32)
	link = sign(forLinks, "usr_7")
	fmt.Println(valid(forLinks, link), valid(forCookies, link))
	// Output:
	// true
	// true false
}

// 2. What does the thief get?

func Example_stolenPINs() {
	pins := []string{"0007", "4711", "4711"}
	salts := []string{"x1", "k9", "q5"}

	var plain, salted [3][32]byte // two stolen tables
	for user, pin := range pins {
		plain[user] = sha256.Sum256([]byte(pin))
		salted[user] = sha256.Sum256([]byte(salts[user] + pin))
	}

	found, calls := 0, 0
	digest := func(s string) [32]byte { calls++; return sha256.Sum256([]byte(s)) }
	for n := range 10_000 {
		guess := digest(fmt.Sprintf("%04d", n))
		for _, hash := range plain {
			if hash == guess {
				found++
			}
		}
	}
	fmt.Println(found, "found,", calls, "calls")

	found, calls = 0, 0
	for n := range 10_000 {
		for user, hash := range salted {
			if digest(salts[user]+fmt.Sprintf("%04d", n)) == hash {
				found++
			}
		}
	}
	fmt.Println(found, "found,", calls, "calls")
	// Output:
	// 3 found, 10000 calls
	// 3 found, 30000 calls
}

// token is a secret. The log shows that there is one, and not which.
type token string

func (token) LogValue() slog.Value { return slog.StringValue("REDACTED") }

// session belongs to one user.
type session struct {
	User  string
	Token token
}

func Example_secretInLog() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	secret := token("s3cret")

	log.Info("token", "token", secret)
	log.Info("session", "session", session{"usr_7", secret})
	log.Info("error", "err", fmt.Errorf("no session for %s", secret))
	log.Info("header", "header", http.Header{"Authorization": {"Bearer " + string(secret)}})
	// Output:
	// {"msg":"token","token":"REDACTED"}
	// {"msg":"session","session":{"User":"usr_7","Token":"s3cret"}}
	// {"msg":"error","err":"no session for s3cret"}
	// {"msg":"header","header":{"Authorization":["Bearer s3cret"]}}
}

// 3. Absent, null, zero

// change is what a patch says about one member. The zero value says nothing.
type change[T any] struct {
	said bool
	to   *T // nil: clear it
}

func (c *change[T]) UnmarshalJSON(text []byte) error {
	c.said = true
	return json.Unmarshal(text, &c.to)
}

func (c change[T]) MarshalJSON() ([]byte, error) { return json.Marshal(c.to) }

func (c change[T]) IsZero() bool { return !c.said }

func Example_threeStates() {
	type byPointer struct {
		Note *string `json:"note,omitempty"`
	}
	type byChange struct {
		Note change[string] `json:"note,omitzero"`
	}
	for _, sent := range []string{`{}`, `{"note":null}`, `{"note":""}`} {
		var p byPointer
		var c byChange
		_ = json.Unmarshal([]byte(sent), &p)
		_ = json.Unmarshal([]byte(sent), &c)
		pointer, _ := json.Marshal(p)
		changed, _ := json.Marshal(c)
		fmt.Printf("%-13s  %-13s  %s\n", sent, pointer, changed)
	}
	// Output:
	// {}             {}             {}
	// {"note":null}  {}             {"note":null}
	// {"note":""}    {"note":""}    {"note":""}
}

// 4. Which bug would this test notice?

// account is what the bugs below are planted in.
type account struct{ balance int }

var errFunds = errors.New("insufficient funds")

func (a *account) withdraw(amount int) error {
	if amount > a.balance {
		return errFunds
	}
	a.balance -= amount
	return nil
}

// mutants are withdraw with one bug each.
var mutants = map[string]func(a *account, amount int) error{
	"the last cent stays": func(a *account, amount int) error {
		if amount >= a.balance {
			return errFunds
		}
		a.balance -= amount
		return nil
	},
	"refused, and taken": func(a *account, amount int) error {
		a.balance -= amount
		if a.balance < 0 {
			return errFunds
		}
		return nil
	},
	"paid, and not taken": func(a *account, amount int) error {
		if amount > a.balance {
			return errFunds
		}
		return nil
	},
}

// byStatus covers every statement of withdraw.
func byStatus(withdraw func(*account, int) error) bool {
	return withdraw(&account{100}, 30) == nil &&
		errors.Is(withdraw(&account{100}, 130), errFunds)
}

// byState looks at the account, too.
func byState(withdraw func(*account, int) error) bool {
	for _, amount := range []int{30, 130} {
		a := account{100}
		left := 100
		if withdraw(&a, amount) == nil {
			left -= amount
		}
		if a.balance != left {
			return false
		}
	}
	return byStatus(withdraw)
}

func Example_mutants() {
	killed := func(suite func(func(*account, int) error) bool) int {
		n := 0
		for _, mutant := range mutants {
			if !suite(mutant) {
				n++
			}
		}
		return n
	}
	fmt.Println("status:", byStatus((*account).withdraw), killed(byStatus))
	fmt.Println("state:", byState((*account).withdraw), killed(byState))
	// Output:
	// status: true 0
	// state: true 2
}

func Example_recorder() {
	create := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		w.Header().Set("Location", "/v1/tasks/1")
	}
	rec := httptest.NewRecorder()
	create(rec, httptest.NewRequest("POST", "/v1/tasks", nil))

	fmt.Printf("%q\n", rec.Header().Get("Location"))
	fmt.Printf("%q\n", rec.Result().Header.Get("Location"))
	// Output:
	// "/v1/tasks/1"
	// ""
}

// 5. Who decides how long it takes?

// drip sends one byte every two seconds, for ever.
func drip(conn net.Conn) {
	for {
		time.Sleep(2 * time.Second)
		if _, err := conn.Write([]byte{'x'}); err != nil {
			return
		}
	}
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, each := range []bool{false, true} {
			server, client := net.Pipe()
			var dripping sync.WaitGroup
			dripping.Go(func() { drip(client) })

			start := time.Now()
			server.SetReadDeadline(start.Add(5 * time.Second))
			got := 0
			for got < 1000 {
				if each {
					server.SetReadDeadline(time.Now().Add(5 * time.Second))
				}
				n, err := server.Read(make([]byte, 1000))
				got += n
				if errors.Is(err, os.ErrDeadlineExceeded) {
					break
				}
			}
			fmt.Println(got, "bytes,", time.Since(start))
			server.Close()
			dripping.Wait()
		}
	})
	// Output:
	// 2 bytes, 5s
	// 1000 bytes, 33m20s
}

func Example_cutBody() {
	const form = "account=DE12&amount=1000000"

	cut, err := io.ReadAll(io.LimitReader(strings.NewReader(form), 24))
	values, _ := url.ParseQuery(string(cut))
	fmt.Println(values.Get("amount"), err)

	body := io.NopCloser(strings.NewReader(form))
	cut, err = io.ReadAll(http.MaxBytesReader(httptest.NewRecorder(), body, 24))
	values, _ = url.ParseQuery(string(cut))
	fmt.Println(values.Get("amount"), err)
	// Output:
	// 1000 <nil>
	// 1000 http: request body too large
}
