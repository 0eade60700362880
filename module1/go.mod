module github.com/middle-go/course/module1

go 1.26.0

require (
	github.com/go-chi/chi/v5 v5.5.0
	github.com/google/go-cmp v0.7.0
	github.com/middle-go/course/grader/labkit v0.0.0
	golang.org/x/net v0.62.0
	golang.org/x/tools v0.52.0
)

require (
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/middle-go/course/grader/labkit => ../grader/labkit
