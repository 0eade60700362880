package ring

import (
	"math/rand/v2"
	"testing"
)

func TestHiddenModel(t *testing.T) {
	var r Ring
	var model []int
	for step := range 5000 {
		if rand.IntN(2) == 0 {
			if got, want := r.Put(step), len(model) < 8; got != want {
				t.Fatalf("step %d: Put = %v with %d values", step, got, len(model))
			} else if want {
				model = append(model, step)
			}
			continue
		}
		v, ok := r.Take()
		if ok != (len(model) > 0) {
			t.Fatalf("step %d: Take ok = %v with %d values", step, ok, len(model))
		}
		if ok {
			if v != model[0] {
				t.Fatalf("step %d: Take = %d, want %d", step, v, model[0])
			}
			model = model[1:]
		}
	}
}
