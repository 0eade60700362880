//course:since m04b

package domain

import (
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	userPrefix = "usr_"

	maxEmail    = 254 // bytes, RFC 5321 section 4.5.3.1.3 less the angle brackets
	maxUserName = 100 // runes
	minPassword = 8   // runes
	maxPassword = 128 // runes
)

// CodeTooShort means fewer runes than the limit.
const CodeTooShort Code = "too_short"

// User is somebody with an account. Make one with [NewUser].
type User struct {
	ID           UserID
	Email        string // in lower case: who registers twice must not get two accounts
	Name         string
	PasswordHash string
	CreatedAt    time.Time
}

// NewUserID returns "usr_" and a ULID, under the conditions of [NewTaskID].
func NewUserID(at time.Time, entropy io.Reader) (UserID, error) {
	ulid, err := newULID(at, entropy)
	if err != nil {
		return "", err
	}
	return UserID(userPrefix + ulid), nil
}

// NormalEmail returns an e-mail address as the service compares it: without
// space around it, in lower case. It returns a [FieldError] on email if that
// cannot be an address. Whether mail arrives there, only a mail can tell.
func NormalEmail(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if email == "" {
		return "", &FieldError{Field: "email", Code: CodeRequired}
	}
	if len(email) > maxEmail {
		return "", &FieldError{Field: "email", Code: CodeTooLong}
	}
	local, host, found := strings.Cut(email, "@")
	odd := func(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII || strings.ContainsRune(`@,;<>()"\`, r) }
	if !found || local == "" || strings.ContainsFunc(local, odd) || !isHost(host) {
		return "", &FieldError{Field: "email", Code: CodeBadFormat}
	}
	return email, nil
}

// isHost reports whether every label of the name is letters, digits and hyphens.
func isHost(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// NormalUserName returns a name without space around it, or a [FieldError] on
// name unless that leaves 1 to 100 runes of valid UTF-8 without control
// characters.
func NormalUserName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return "", &FieldError{Field: "name", Code: CodeRequired}
	}
	return name, checkText("name", name, maxUserName, unicode.IsControl)
}

// CheckPassword returns a [FieldError] on password unless it has 8 to 128 runes
// of valid UTF-8. Which ones is up to the user (NIST SP 800-63B section 3.1.1.2).
func CheckPassword(password string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return &FieldError{Field: "password", Code: CodeTooShort}
	case n > maxPassword:
		return &FieldError{Field: "password", Code: CodeTooLong}
	case !utf8.ValidString(password):
		return &FieldError{Field: "password", Code: CodeBadCharacters}
	}
	return nil
}
