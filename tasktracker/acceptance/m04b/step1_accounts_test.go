package m04b_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/middle-go/course/tasktracker/acceptance/tracker"
)

var userID = regexp.MustCompile(`^usr_[0-7][0-9a-hjkmnp-tv-z]{25}$`)

func TestM04b_RegisterLoginMe(t *testing.T) {
	tt := tracker.Start(t, nil)
	nobody := tt.Anonymous()
	registered := nobody.Want(t, registration(" Ada@Example.ORG ", password, "  Ada Lovelace "), 201, "")
	ada := decode[user](t, registered)
	registered.Check(t, userID.MatchString(ada.ID), "an id usr_ and a ULID in lower case", "")
	registered.Check(t, ada.Email == "ada@example.org" && ada.Name == "Ada Lovelace", "email ada@example.org and name Ada Lovelace",
		"Ada writes her address with a capital tomorrow, and should find her account.")
	registered.Check(t, !bytes.Contains(registered.Body, []byte(password)), "an answer without the password", "Answers end up in logs and caches.")

	nobody.Refuse(t, registration("ADA@example.org", "another password", "Eve"), 409, "email_taken", "One address, one account, whatever its case.")

	before := time.Now()
	loggedIn := nobody.Want(t, credentials("aDa@example.org ", password), 201, "")
	first := decode[session](t, loggedIn)
	expires, err := time.Parse(time.RFC3339Nano, first.ExpiresAt)
	low, high := before.Add(time.Hour-time.Millisecond), time.Now().Add(time.Hour+time.Millisecond)
	loggedIn.Check(t, err == nil && expires.After(low) && expires.Before(high), "expires_at one hour from now: TT_TOKEN_TTL has this default", "")
	second := logIn(t, nobody, "ada@example.org", password)
	loggedIn.Check(t, first.AccessToken != second.AccessToken, "another token for every session", "Who logs out on the phone would log out everywhere.")

	for _, token := range []string{first.AccessToken, second.AccessToken} {
		me := tt.Bearer(token).Want(t, tracker.Get("/v1/me"), 200, "")
		me.Check(t, bytes.Equal(bytes.TrimSpace(me.Body), bytes.TrimSpace(registered.Body)), "the user as he was registered: "+string(registered.Body), "")
	}
	created := tt.Bearer(first.AccessToken).Want(t, tracker.Create(`{"title":"a"}`), 201, "")
	created.Check(t, created.Task(t).OwnerID == ada.ID, "owner_id "+ada.ID, "The task belongs to the user of the token.")
	tt.Bearer(second.AccessToken).Want(t, tracker.Get(created.Task(t).Path()), 200, "The same user in another session.")

	t.Run("fields", func(t *testing.T) { fields(t, nobody) })
	t.Run("long passwords", func(t *testing.T) { longPasswords(t, nobody) })
}

func fields(t *testing.T, nobody *tracker.Client) {
	const why = "The form shows all mistakes at once."
	all := nobody.Refuse(t, registration("ada", "short", " ").Bad(), 422, "validation_failed", why)
	for _, want := range []tracker.FieldError{{Field: "email", Code: "bad_format"}, {Field: "password", Code: "too_short"}, {Field: "name", Code: "required"}} {
		all.Check(t, all.Problem(t).Names(want.Field, want.Code), fmt.Sprintf("errors with %s %s", want.Field, want.Code), why)
	}
	for _, tc := range []struct{ email, password, name, field, code string }{
		{"", password, "a", "email", "required"},
		{"a@", password, "a", "email", "bad_format"},
		{"@example.org", password, "a", "email", "bad_format"},
		{"a b@example.org", password, "a", "email", "bad_format"},
		{"a@b@example.org", password, "a", "email", "bad_format"},
		{"a@example.org\r\nBcc: b@example.org", password, "a", "email", "bad_format"},
		{strings.Repeat("a", 250) + "@b.de", password, "a", "email", "too_long"},
		{"a@example.org", "sevenén", "a", "password", "too_short"},
		{"a@example.org", strings.Repeat("é", 129), "a", "password", "too_long"},
		{"a@example.org", password, strings.Repeat("é", 101), "name", "too_long"},
		{"a@example.org", password, "a\u0007b", "name", "bad_characters"},
	} {
		answer := nobody.Refuse(t, registration(tc.email, tc.password, tc.name).Bad(), 422, "validation_failed", "")
		answer.Check(t, answer.Problem(t).Names(tc.field, tc.code), "errors with "+tc.field+" "+tc.code, "")
	}
	for _, body := range []string{`{}`, `{"email":"b@example.org","password":null,"name":"b"}`, `{"email":"b@example.org","password":12345678,"name":"b"}`,
		`{"email":"b@example.org","password":"` + password + `","name":"b","role":"admin"}`} {
		nobody.Refuse(t, tracker.Post("/v1/users", body).Bad(), 422, "validation_failed", "")
	}
	nobody.Refuse(t, credentials("b@example.org", password), 401, "bad_credentials", "A registration that was refused makes no account.")
}

func longPasswords(t *testing.T, nobody *tracker.Client) {
	long := strings.Repeat("é", 127)
	register(t, nobody, "long@example.org", long+"a")
	logIn(t, nobody, "long@example.org", long+"a")
	for _, wrong := range []string{long + "b", long, " " + long + "a"} {
		nobody.Refuse(t, credentials("long@example.org", wrong), 401, "bad_credentials",
			"Every character of a password counts. bcrypt looks at 72 bytes, and a space is a character.")
	}
	register(t, nobody, "short@example.org", "éééééééé")
	logIn(t, nobody, "short@example.org", "éééééééé")
}

func TestM04b_401Problem(t *testing.T) {
	tt := tracker.Start(t, nil)
	ada := signUp(t, tt, "ada")
	routes := []tracker.Request{
		tracker.Get("/v1/me"), tracker.Delete("/v1/sessions/current"), tracker.Get("/v1/tasks"), tracker.Create(`{"title":"a"}`),
		tracker.Get("/v1/tasks/tsk_00000000000000000000000000"), tracker.Patch("/v1/tasks/tsk_00000000000000000000000000", "*", `{}`),
		tracker.Delete("/v1/tasks/tsk_00000000000000000000000000"),
		tracker.Post("/v1/tasks/tsk_00000000000000000000000000/transitions", `{"to":"done"}`),
	}
	nobody := tt.Anonymous()
	for _, r := range routes {
		nobody.Refuse(t, r, 401, "unauthenticated", "Without a session there is nobody.")
	}
	for _, header := range []string{
		"", "Bearer", "Bearer ", ada.Token, "Basic " + ada.Token, "Bearer " + ada.Token + "x", "Bearer " + strings.ToLower(ada.Token) + "x",
		"Bearer " + ada.Token[1:], "Bearer x", "Bearer " + strings.Repeat("x", 4000), "Bearer " + ada.Token + ", Bearer " + ada.Token,
	} {
		nobody.Refuse(t, tracker.Get("/v1/me").With("Authorization", header), 401, "unauthenticated", "Only exactly this token is this session.")
	}
	nobody.Want(t, tracker.Get("/v1/me").With("Authorization", "bearer "+ada.Token), 200, "The name of a scheme has no case (RFC 9110, section 11.1).")

	unknown := nobody.Refuse(t, credentials("nobody@example.org", password), 401, "bad_credentials", "")
	wrong := nobody.Refuse(t, credentials(ada.Email, "wrong password"), 401, "bad_credentials", "")
	wrong.Check(t, sameBut(unknown, wrong), "the same answer as for an unknown address, except for the request id:\n"+string(unknown.Body),
		"A different answer tells who has an account.")
	for _, public := range []tracker.Request{tracker.Get("/healthz"), tracker.Get("/readyz")} {
		nobody.Want(t, public, 200, "A load balancer has no account.")
	}
}

// sameBut reports whether two answers are equal except for their request ids.
func sameBut(a, b tracker.Answer) bool {
	text := func(x tracker.Answer) string {
		return strings.ReplaceAll(string(x.Body), x.Header.Get("X-Request-ID"), "")
	}
	return a.Status == b.Status && text(a) == text(b)
}

func TestM04b_DevHeaderIgnored(t *testing.T) {
	tt := tracker.Start(t, nil)
	ada := signUp(t, tt, "ada")
	task := ada.Want(t, tracker.Create(`{"title":"a"}`), 201, "").Task(t)
	const why = "A header that everybody can write is no proof. TT_AUTH is token when nobody has set it."
	dev := tt.Developer(ada.ID)
	dev.Refuse(t, tracker.Get("/v1/me"), 401, "unauthenticated", why)
	dev.Refuse(t, tracker.Get(task.Path()), 401, "unauthenticated", why)
	me := ada.Want(t, tracker.Get("/v1/me").With("X-TT-User", "usr_eve"), 200, "")
	me.Check(t, decode[user](t, me).ID == ada.ID, "the user of the token", why)
	created := ada.Want(t, tracker.Create(`{"title":"a"}`).With("X-TT-User", "usr_eve"), 201, "")
	created.Check(t, created.Task(t).OwnerID == ada.ID, "owner_id "+ada.ID, why)
}

func TestM04b_LogoutRevokes(t *testing.T) {
	tt := tracker.Start(t, nil)
	phone := signUp(t, tt, "ada")
	laptop := tt.Bearer(logIn(t, tt.Anonymous(), phone.Email, password).AccessToken)
	phone.Want(t, tracker.Delete("/v1/sessions/current"), 204, "")
	const why = "Who logs out in an internet cafe wants the token to be worth nothing."
	phone.Refuse(t, tracker.Get("/v1/me"), 401, "unauthenticated", why)
	phone.Refuse(t, tracker.Create(`{"title":"a"}`), 401, "unauthenticated", why)
	phone.Refuse(t, tracker.Delete("/v1/sessions/current"), 401, "unauthenticated", why)
	laptop.Want(t, tracker.Get("/v1/me"), 200, "The other session goes on.")
	logIn(t, tt.Anonymous(), phone.Email, password)
}

func TestM04b_TokenExpires(t *testing.T) {
	const ttl = time.Second
	tt := tracker.Start(t, tracker.Env{"TT_TOKEN_TTL": ttl.String()})
	begun := time.Now()
	ada := signUp(t, tt, "ada")
	over := time.Now().Add(ttl + 100*time.Millisecond) // whatever the service takes for the beginning
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for ; ; <-poll.C {
		sent := time.Now()
		answer, err := ada.Try(t.Context(), tracker.Get("/v1/me"))
		answered := time.Now()
		answer.Check(t, err == nil && (answer.Status == 200 || answer.Status == 401), "200, or 401 once the session is over", "")
		if answer.Status == 200 {
			answer.Check(t, sent.Before(over), "401 after TT_TOKEN_TTL="+ttl.String(), "A stolen token would be good for ever, and each use would make it live longer.")
			continue
		}
		code := answer.Problem(t).Code
		forgotten := answered.After(begun.Add(2 * ttl)) // a service may forget a session when it is over for ttl
		answer.Check(t, code == "token_expired" || forgotten && code == "unauthenticated", "the code token_expired", "The app logs in again by itself if it knows that time is the reason.")
		break
	}
	again := logIn(t, tt.Anonymous(), ada.Email, password)
	ada.Want(t, tracker.Get("/v1/tasks"), 401, "A new session does not bring back the old one.")
	if again.AccessToken == ada.Token {
		t.Error("the new session has the old token")
	}
}
