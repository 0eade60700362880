module github.com/middle-go/course/tasktracker

go 1.26.0

require github.com/middle-go/course/grader/labkit v0.0.0

require (
	github.com/google/go-cmp v0.7.0
	go.yaml.in/yaml/v3 v3.0.6 // indirect
)

replace github.com/middle-go/course/grader/labkit => ../grader/labkit
