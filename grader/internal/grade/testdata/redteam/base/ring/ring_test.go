package ring

import "testing"

func TestOrder(t *testing.T) {
	var r Ring
	for v := range 3 {
		if !r.Put(v) {
			t.Fatalf("Put(%d) = false with room left", v)
		}
	}
	for want := range 3 {
		if got, ok := r.Take(); !ok || got != want {
			t.Fatalf("Take() = %d, %v, want %d, true", got, ok, want)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Run("empty", func(t *testing.T) {
		var r Ring
		if v, ok := r.Take(); ok {
			t.Fatalf("Take() on an empty ring = %d, true", v)
		}
		if !r.Put(1) {
			t.Fatal("Put(1) = false on an empty ring")
		}
	})
	t.Run("full", func(t *testing.T) {
		var r Ring
		for v := range 8 {
			r.Put(v)
		}
		if r.Put(9) {
			t.Fatal("Put = true on a full ring")
		}
		if v, ok := r.Take(); !ok || v != 0 {
			t.Fatalf("Take() = %d, %v, want 0, true", v, ok)
		}
	})
}
