package domain_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

func TestNewTaskID_IsAULID(t *testing.T) {
	entropy := bytes.NewReader([]byte{0xd6, 0x76, 0x4c, 0x61, 0xef, 0xb9, 0x93, 0x02, 0xbd, 0x5b})
	got, err := domain.NewTaskID(time.UnixMilli(1469922850259), entropy)
	if want := domain.TaskID("tsk_01arz3ndektsv4rrffq69g5fav"); err != nil || got != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

func TestNewTaskID_NeedsTenBytesOfEntropy(t *testing.T) {
	slow := iotest.OneByteReader(strings.NewReader("0123456789"))
	if id, err := domain.NewTaskID(created, slow); err != nil {
		t.Errorf("one byte at a time: got %q, %v", id, err)
	}
	if id, err := domain.NewTaskID(created, strings.NewReader("012345678")); id != "" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("nine bytes: got %q, %v", id, err)
	}
}

func TestNewTaskID_RefusesTimesOutsideULIDs(t *testing.T) {
	for _, at := range []time.Time{{}, time.UnixMilli(-1), time.UnixMilli(1 << 48)} {
		if id, err := domain.NewTaskID(at, strings.NewReader("0123456789")); id != "" || !errors.Is(err, domain.ErrBadID) {
			t.Errorf("%v: got %q, %v", at, id, err)
		}
	}
}

func TestParseTaskID_TakesOneSpelling(t *testing.T) {
	if got, err := domain.ParseTaskID(string(taskID)); err != nil || got != taskID {
		t.Errorf("got %q, %v", got, err)
	}
	ulid := strings.TrimPrefix(string(taskID), "tsk_")
	for _, s := range []string{
		"",
		ulid,
		"usr_" + ulid,
		"tsk_" + ulid + "0",
		"tsk_" + strings.ToUpper(ulid),
		"tsk_" + strings.Replace(ulid, "v", "u", 1),
		"tsk_8" + ulid[1:],
	} {
		if id, err := domain.ParseTaskID(s); id != "" || !errors.Is(err, domain.ErrBadID) {
			t.Errorf("ParseTaskID(%q) = %q, %v", s, id, err)
		}
	}
}
