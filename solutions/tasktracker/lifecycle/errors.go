//course:since m03a

package lifecycle

import (
	"errors"
	"fmt"
)

// What [Run] says about a service. The text before it is the name of the service.
var (
	ErrStopped     = errors.New("stopped unexpectedly")
	ErrStopTimeout = errors.New("did not stop in time")
)

// PanicError is the panic of a service. [Run] returns it as a *PanicError, so
// ask with [errors.AsType].
type PanicError struct {
	Value any    // what recover returned
	Stack []byte // of the goroutine that panicked
}

// Error returns the value. The stack is for the log.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value if it is an error, and nil otherwise.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
