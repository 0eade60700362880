package domain_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/middle-go/course/tasktracker/domain"
)

const (
	firstStatus = domain.StatusTodo
	lastStatus  = domain.StatusExpired
)

func TestTransition_FollowsTheStatusMachine(t *testing.T) {
	allowed := map[domain.Status][]domain.Status{
		domain.StatusTodo:       {domain.StatusInProgress, domain.StatusCancelled},
		domain.StatusInProgress: {domain.StatusBlocked, domain.StatusDone, domain.StatusTodo, domain.StatusCancelled},
		domain.StatusBlocked:    {domain.StatusInProgress, domain.StatusCancelled},
		domain.StatusDone:       {domain.StatusTodo},
		domain.StatusCancelled:  {},
		domain.StatusExpired:    {domain.StatusTodo},
	}
	for from := firstStatus; from <= lastStatus; from++ {
		for to := domain.Status(0); to <= lastStatus+1; to++ {
			task := taskIn(t, from)
			err := task.Transition(to, later)

			if slices.Contains(allowed[from], to) {
				if got := task.State().Status; err != nil || got != to {
					t.Errorf("%v to %v: got %v, %v", from, to, got, err)
				}
				continue
			}
			if got, ok := errors.AsType[*domain.TransitionError](err); !ok || *got != (domain.TransitionError{From: from, To: to}) {
				t.Errorf("%v to %v: got error %v, want a TransitionError", from, to, err)
			}
		}
	}
}

func TestNames_RoundTrip(t *testing.T) {
	for s := firstStatus; s <= lastStatus; s++ {
		if got, err := domain.ParseStatus(s.String()); err != nil || got != s {
			t.Errorf("ParseStatus(%q) = %d, %v", s, got, err)
		}
	}
	for p := domain.PriorityLow; p <= domain.PriorityUrgent; p++ {
		if got, err := domain.ParsePriority(p.String()); err != nil || got != p {
			t.Errorf("ParsePriority(%q) = %d, %v", p, got, err)
		}
	}
}

func TestNames_OfValuesThatAreNone(t *testing.T) {
	_, err := domain.ParseStatus("")
	wantFieldError(t, err, "status", domain.CodeUnknownValue)
	_, err = domain.ParsePriority("Low")
	wantFieldError(t, err, "priority", domain.CodeUnknownValue)

	if got := (lastStatus + 1).String(); got != "Status(7)" {
		t.Errorf("got %q", got)
	}
	if got := domain.Priority(0).String(); got != "Priority(0)" {
		t.Errorf("got %q", got)
	}
}
