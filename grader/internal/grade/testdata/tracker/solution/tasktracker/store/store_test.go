package store_test

import (
	"testing"

	"github.com/middle-go/course/tasktracker/store"
)

func TestAdd(t *testing.T) {
	var c store.Counter
	c.Add()
	if got := c.Add(); got != 2 {
		t.Errorf("got %d, want 2", got)
	}
}
