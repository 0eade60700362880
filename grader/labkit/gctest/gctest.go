// Package gctest asserts that a value becomes unreachable.
//
//	popped := weak.Make(queue[0])
//	head, rest := Dequeue(queue)
//	gctest.Collected(t, popped, "head, rest := Dequeue(queue)\nhead = nil", "the removed task")
//	runtime.KeepAlive(rest)
//
// Weak pointers to tiny values cannot be used for this. The runtime packs
// pointer-free values of up to 16 bytes into shared blocks, and a block lives
// as long as any of its neighbours. Collected and Alive refuse such types.
package gctest

import (
	"reflect"
	"runtime"
	"testing"
	"unsafe"
	"weak"

	"github.com/middle-go/course/grader/labkit/rule"
)

// rounds bounds how many collections Collected waits for. One is enough for an
// object that nothing references; cleanups that free further objects need one
// more for each link of the chain.
const rounds = 10

// Collected fails t unless the value behind p is gone after at most 10
// garbage collections. do is the code that a student can paste, what names the
// value.
func Collected[T any](t testing.TB, p weak.Pointer[T], do, what string) {
	t.Helper()
	refuseTiny[T](t)
	for range rounds {
		runtime.GC()
		if p.Value() == nil {
			return
		}
	}
	t.Error(rule.Case{
		Do:   do,
		Got:  rule.Textf("%s is still reachable after %d garbage collections", what, rounds),
		Want: rule.Text("collected"),
		Why:  "Something keeps a pointer into it, such as a slice that shares its array, a map entry or a closure. In a service that runs for weeks this is a memory leak.",
	}.String())
}

// Alive fails t if the value behind p has been collected. do is the code that a
// student can paste, what names the value.
func Alive[T any](t testing.TB, p weak.Pointer[T], do, what string) {
	t.Helper()
	refuseTiny[T](t)
	for range 2 {
		runtime.GC()
	}
	if p.Value() == nil {
		t.Error(rule.Case{
			Do:   do,
			Got:  rule.Textf("%s was collected", what),
			Want: rule.Text("still reachable"),
		}.String())
	}
}

// Eventually runs the garbage collector until cond holds, at most 100 times,
// and lets queued cleanups run in between. Otherwise it fails t: do is the code
// that a student can paste, want is the condition in words.
func Eventually(t testing.TB, do, want string, cond func() bool) {
	t.Helper()
	for range 100 {
		if cond() {
			return
		}
		runtime.GC()
		runtime.Gosched()
		flushCleanups()
	}
	if !cond() {
		t.Error(rule.Case{
			Do:   do,
			Got:  rule.Text("not so after 100 garbage collections"),
			Want: rule.Text(want),
		}.String())
	}
}

// flushCleanups returns after one cleanup of an object that died before the
// call has run. Cleanups of a collection are queued together, so those of
// earlier objects have been started by then.
func flushCleanups() {
	done := make(chan struct{})
	canary := new([4]*int)
	runtime.AddCleanup(canary, func(c chan struct{}) { close(c) }, done)
	runtime.GC()
	<-done
}

func refuseTiny[T any](t testing.TB) {
	t.Helper()
	typ := reflect.TypeFor[T]()
	if unsafe.Sizeof(*new(T)) <= 16 && !hasPointers(typ) {
		t.Fatalf("gctest cannot watch a %v: the runtime batches pointer-free values of up to 16 bytes, "+
			"so it may live as long as a neighbour. Use a larger type in the test.", typ)
	}
}

func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map,
		reflect.Pointer, reflect.Slice, reflect.String, reflect.UnsafePointer:
		return true
	default:
		return false
	}
}
