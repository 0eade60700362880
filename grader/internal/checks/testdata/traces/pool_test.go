package pool_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/middle-go/course/module1/week05/pool"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("LEAK") != "" {
		fmt.Println(goleak.Find())
	}
	os.Exit(code)
}

func TestPanicIndex(t *testing.T)     { pool.New[int]().Get(3) }
func TestPanicNil(t *testing.T)       { pool.New[int]().Next() }
func TestPanicError(t *testing.T)     { pool.Close("pool") }
func TestPanicGoroutine(t *testing.T) { pool.New[int]().Start().Wait() }
func TestPanicNested(t *testing.T)    { pool.Again() }
func TestPanicTest(t *testing.T)      { panic("not in the student's code") }
func TestStackPlain(t *testing.T)     { pool.Depth(0) }
func TestMemory(t *testing.T)         { pool.Grow() }
func TestMemoryPlain(t *testing.T)    { pool.Grow() }

func TestSubPanic(t *testing.T) {
	t.Run("empty pool", func(t *testing.T) { pool.New[string]().Get(0) })
}

func TestFatalMap(t *testing.T) {
	p := pool.New[int]()
	for range 100 {
		hammer(func(int) { p.Put("a", 1) })
	}
}

func TestRaceField(t *testing.T) {
	p := pool.New[int]()
	hammer(func(int) { p.Count() })
}

func TestRaceMap(t *testing.T) {
	p := pool.New[int]()
	hammer(func(int) { p.Put("a", 1) })
}

func TestRaceAtomic(t *testing.T) {
	p := pool.New[int]()
	hammer(func(i int) {
		if i == 0 {
			p.Add()
		} else {
			p.Load()
		}
	})
}

func TestRaceTest(t *testing.T) {
	n := 0
	hammer(func(int) { n++ })
}

func hammer(f func(i int)) {
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			for range 10000 {
				f(i)
			}
		})
	}
	wg.Wait()
}

func TestTimeoutChannel(t *testing.T) { pool.New[int]().Take() }
func TestTimeoutLock(t *testing.T)    { pool.New[int]().Locked() }

func TestTimeoutMany(t *testing.T) {
	p := pool.New[int]()
	p.Watch(3)
	p.Take()
}

func TestBubbleDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { pool.New[int]().Take() })
}

func TestBubbleLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { pool.New[int]().Watch(1) })
}

func TestLeakOne(t *testing.T)  { pool.New[int]().Watch(1) }
func TestLeakFive(t *testing.T) { pool.New[int]().Watch(5) }

func TestLeakOutside(t *testing.T) {
	var wg sync.WaitGroup
	wg.Add(1)
	pool.New[int]().Wait(&wg)
}

func TestTimeoutOutside(t *testing.T) {
	var wg sync.WaitGroup
	wg.Add(1)
	pool.New[int]().Wait(&wg)
	wg.Wait()
}

func TestLeakTest(t *testing.T) {
	go func() { select {} }()
}

func TestLog(t *testing.T) {
	t.Log("the pool\nhas two lines")
	t.Run("empty pool", func(t *testing.T) {
		fmt.Print("printed, without a line end")
		t.Errorf("   do: New().Get(0)\n  got: %d\n want: %d", 1, 2)
	})
	t.Error("after the subtest")
}
