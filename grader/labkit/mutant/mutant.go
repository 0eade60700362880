// Package mutant is what rewritten code calls to choose one of its mutants.
//
// A program can carry all its mutants at once: the environment variable MUTANT
// names the one that is active by its number, and without it the program does
// what it did before. The grader inserts the calls; nobody writes them.
//
//	if (n < 10) != mutant.On(7) { // mutant 7: n >= 10
package mutant

import (
	"cmp"
	"os"
	"strconv"
)

// Env is the name of the variable with the number of the active mutant.
const Env = "MUTANT"

var active = number(os.Getenv(Env))

// number returns the mutant that s names, or 0, which is no mutant.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// On reports whether mutant id is active.
func On(id int) bool { return id == active }

// Less returns x < y; the mutant returns x <= y.
func Less[T cmp.Ordered](id int, x, y T) bool { return x < y || id == active && x == y }

// LessOrEqual returns x <= y; the mutant returns x < y.
func LessOrEqual[T cmp.Ordered](id int, x, y T) bool { return x < y || id != active && x == y }

// Greater returns x > y; the mutant returns x >= y.
func Greater[T cmp.Ordered](id int, x, y T) bool { return Less(id, y, x) }

// GreaterOrEqual returns x >= y; the mutant returns x > y.
func GreaterOrEqual[T cmp.Ordered](id int, x, y T) bool { return LessOrEqual(id, y, x) }

// Integer is any type of integers.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// Number is any type of real numbers.
type Number interface {
	Integer | ~float32 | ~float64
}

// Plus returns x + y; the mutant returns x - y.
func Plus[T Number](id int, x, y T) T {
	if id == active {
		return x - y
	}
	return x + y
}

// Minus returns x - y; the mutant returns x + y.
func Minus[T Number](id int, x, y T) T {
	if id == active {
		return x + y
	}
	return x - y
}

// Times returns x * y; the mutant returns x + y.
func Times[T Number](id int, x, y T) T {
	if id == active {
		return x + y
	}
	return x * y
}

// Quotient returns x / y; the mutant returns x * y.
func Quotient[T Number](id int, x, y T) T {
	if id == active {
		return x * y
	}
	return x / y
}

// Remainder returns x % y; the mutant returns x.
func Remainder[T Integer](id int, x, y T) T {
	if id == active {
		return x
	}
	return x % y
}

// Constant returns n; the mutant returns n + 1.
func Constant[T Number](id int, n T) T {
	if id == active {
		return n + 1
	}
	return n
}

// Error returns err; the mutant returns nil.
func Error(id int, err error) error {
	if id == active {
		return nil
	}
	return err
}

// Receive returns c; the mutant returns a channel from which nothing comes.
func Receive[T any](id int, c <-chan T) <-chan T {
	if id == active {
		return nil
	}
	return c
}

// Send returns c; the mutant returns a channel that takes nothing.
func Send[T any](id int, c chan<- T) chan<- T {
	if id == active {
		return nil
	}
	return c
}
