package m02a_test

import (
	"testing"

	"github.com/middle-go/course/tasktracker/greet"
)

func TestHello_IsPolite(t *testing.T) {
	if got := greet.Hello(); got != "Good day" {
		t.Errorf("got %q, want %q", got, "Good day")
	}
}
