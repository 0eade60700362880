//course:since m04a

// Package middleware is what every request of the service goes through before
// it reaches a handler. Handlers can stream, hijack the connection and abort as
// if the chain were not there.
package middleware

import "net/http"

// Middleware puts something around a handler. It is called once for a handler,
// when the server is set up; what it returns is safe for concurrent use.
type Middleware = func(http.Handler) http.Handler
