//course:since m02a

// Package system gives the service what the machine has: time and randomness.
package system

import (
	"crypto/rand"
	"time"

	"github.com/middle-go/course/tasktracker/domain"
)

// Clock is the clock of the machine.
type Clock struct{}

// Now returns the time.
func (Clock) Now() time.Time { return time.Now() }

// IDs makes random ids that begin with the time.
type IDs struct{}

// NewTaskID returns the id of a task made now.
func (IDs) NewTaskID() (domain.TaskID, error) { return domain.NewTaskID(time.Now(), rand.Reader) }

//course:since m04b

// NewUserID returns the id of a user made now.
func (IDs) NewUserID() (domain.UserID, error) { return domain.NewUserID(time.Now(), rand.Reader) }

//course:end
