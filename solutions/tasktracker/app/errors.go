//course:since m02a

package app

import (
	"errors"

	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

// wrap says what kind of failure err is. It is the border between the ports on
// one side and the vocabulary of the service on the other, and every error of a
// port passes it once.
func wrap(op string, err error) error {
	return errs.E(op, kindOf(err), err)
}

// refuse is wrap for what the domain says about a request. The same error from a
// store means that the store holds a broken task, which is no fault of the actor.
func refuse(op string, err error) error {
	if field, ok := errors.AsType[*domain.FieldError](err); ok {
		err = &errs.ValidationError{Fields: []errs.FieldError{describe(field)}}
	}
	if _, notAllowed := errors.AsType[*domain.TransitionError](err); notAllowed {
		return errs.E(op, errs.Conflict, err)
	}
	return wrap(op, err)
}

func kindOf(err error) errs.Kind {
	if kind := errs.KindOf(err); kind != errs.Internal {
		return kind
	}
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return errs.NotFound
	case errors.Is(err, domain.ErrConflict), errors.Is(err, domain.ErrDuplicate):
		return errs.Conflict
	default:
		return errs.Internal
	}
}
