module github.com/middle-go/course/module1

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/middle-go/course/grader/labkit v0.0.0
)

replace github.com/middle-go/course/grader/labkit => ../grader/labkit
