//course:since m02a

package app

import (
	"github.com/middle-go/course/tasktracker/domain"
	"github.com/middle-go/course/tasktracker/errs"
)

// describe puts a field error of the domain into words.
func describe(e *domain.FieldError) errs.FieldError {
	message, ok := messages[e.Field+" "+string(e.Code)]
	if !ok {
		message = messages[string(e.Code)]
	}
	return errs.FieldError{Field: e.Field, Code: string(e.Code), Message: message}
}

var messages = map[string]string{
	string(domain.CodeRequired):      "must not be empty",
	string(domain.CodeTooLong):       "is too long",
	string(domain.CodeTooMany):       "has too many elements",
	string(domain.CodeBadCharacters): "contains control characters or is not UTF-8",
	string(domain.CodeBadFormat):     "has a wrong format",
	string(domain.CodeUnknownValue):  "is not one of the known values",
	string(domain.CodeTooEarly):      "is too early",
	string(domain.CodeTooLate):       "is too late",
	string(domain.CodeUnexpected):    "must not be set",
	string(domain.CodeOutOfRange):    "is out of range",

	"title too_long":         "has more than 200 characters",
	"description too_long":   "has more than 8000 characters",
	"labels too_many":        "has more than 16 different labels",
	"priority unknown_value": "must be low, normal, high or urgent",
	"status unknown_value":   "must be todo, in_progress, blocked, done, cancelled or expired",
	"limit out_of_range":     "must be 1 to 100",
	"due_at too_early":       "must not be before the task was created",
	"due_at too_late":        "must not be after the year 9999",

	//course:since m04b
	"email bad_format":   "is not an e-mail address",
	"name too_long":      "has more than 100 characters",
	"password too_long":  "has more than 128 characters",
	"password too_short": "has fewer than 8 characters",
	//course:end
}
