package mutant

import (
	"errors"
	"testing"
)

func TestNumber(t *testing.T) {
	for s, want := range map[string]int{"": 0, "7": 7, "m07": 0} {
		if got := number(s); got != want {
			t.Errorf("number(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestOnlyTheActiveMutantDiffers(t *testing.T) {
	defer func(was int) { active = was }(active)
	errFull := errors.New("full")
	for _, tt := range []struct {
		name         string
		f            func() any
		kept, mutant any
	}{
		{"On", func() any { return On(7) }, false, true},
		{"Less", func() any { return Less(7, 2, 2) }, false, true},
		{"Less of less", func() any { return Less(7, 1, 2) }, true, true},
		{"LessOrEqual", func() any { return LessOrEqual(7, 2, 2) }, true, false},
		{"LessOrEqual of more", func() any { return LessOrEqual(7, 3, 2) }, false, false},
		{"Greater", func() any { return Greater(7, 2, 2) }, false, true},
		{"Greater of more", func() any { return Greater(7, 3, 2) }, true, true},
		{"GreaterOrEqual", func() any { return GreaterOrEqual(7, 2, 2) }, true, false},
		{"GreaterOrEqual of less", func() any { return GreaterOrEqual(7, 1, 2) }, false, false},
		{"Plus", func() any { return Plus(7, 5, 3) }, 8, 2},
		{"Minus", func() any { return Minus(7, 5, 3) }, 2, 8},
		{"Times", func() any { return Times(7, 5, 3) }, 15, 8},
		{"Quotient", func() any { return Quotient(7, 6, 3) }, 2, 18},
		{"Remainder", func() any { return Remainder(7, 7, 3) }, 1, 7},
		{"Constant", func() any { return Constant(7, 4) }, 4, 5},
		{"Error", func() any { return Error(7, errFull) == nil }, false, true},
		{"Receive", func() any { return Receive(7, make(chan int)) == nil }, false, true},
		{"Send", func() any { return Send(7, make(chan int)) == nil }, false, true},
	} {
		active = 8
		if got := tt.f(); got != tt.kept {
			t.Errorf("%s with another mutant on: got %v, want %v", tt.name, got, tt.kept)
		}
		active = 7
		if got := tt.f(); got != tt.mutant {
			t.Errorf("%s with the mutant on: got %v, want %v", tt.name, got, tt.mutant)
		}
	}
}
