package m01b_test

import (
	"sync"
	"testing"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/tasktracker/store"
)

func TestCounter_Counts(t *testing.T) {
	var c store.Counter
	for want := range 3 {
		if got := c.Add(); got != want+1 {
			t.Fatalf("got %d, want %d", got, want+1)
		}
	}
}

func TestCounter_LosesNoUpdate(t *testing.T) {
	var c store.Counter
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				c.Add()
			}
		})
	}
	wg.Wait()
	if got := c.Add(); got != 801 {
		rule.Broken(t, rule.Case{Do: "8 goroutines call Add 100 times each", Got: got - 1, Want: 800, Why: "Somebody's click is lost."})
	}
}
