package heaptest_test

import (
	"runtime"
	"testing"

	"github.com/middle-go/course/grader/labkit/heaptest"
)

const noise = 256 << 10

func TestHeldCountsWhatLives(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func() []byte
		want int64
	}{
		{"nothing", func() []byte { return nil }, 0},
		{"what is returned", func() []byte { return make([]byte, 8<<20) }, 8 << 20},
		{"a small view holds the whole array", func() []byte { return make([]byte, 8<<20)[:1] }, 8 << 20},
		{"garbage does not count", func() []byte { sink = make([]byte, 8<<20); sink = nil; return nil }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, got := heaptest.Held(tt.make)
			if got < tt.want-noise || got > tt.want+noise {
				t.Errorf("held %d bytes, want about %d", got, tt.want)
			}
			runtime.KeepAlive(v)
		})
	}
}

var sink []byte

func TestLiveForgetsWhatIsDropped(t *testing.T) {
	before := heaptest.Live()
	sink = make([]byte, 8<<20)
	if grown := heaptest.Live() - before; grown < 8<<20-noise {
		t.Errorf("grew by %d bytes with 8 MiB in use", grown)
	}
	sink = nil
	if grown := heaptest.Live() - before; grown > noise {
		t.Errorf("%d bytes are left after the 8 MiB were dropped", grown)
	}
}
