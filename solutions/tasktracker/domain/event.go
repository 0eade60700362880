//course:since m02a

package domain

import "time"

// EventType names what has happened to a task.
type EventType string

// The events of a task.
const (
	EventCreated      EventType = "task.created"
	EventUpdated      EventType = "task.updated"
	EventAssigned     EventType = "task.assigned"
	EventTransitioned EventType = "task.transitioned"
	EventExpired      EventType = "task.expired"
	EventPurged       EventType = "task.purged"
	EventDeleted      EventType = "task.deleted"
)

// Event says that something has happened to a task. It is a value: an event
// that is published does not change any more.
type Event struct {
	Type    EventType
	At      time.Time
	Actor   UserID // who did it; empty: the service itself
	Owner   UserID // whose task it is
	Task    TaskID
	Version uint64 // of the task after it; of a deleted task, the last one
}
