module github.com/middle-go/course/tasktracker/acceptance

go 1.26.0

replace github.com/middle-go/course/grader/labkit => ../../grader/labkit

require (
	github.com/middle-go/course/grader/labkit v0.0.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3
	go.yaml.in/yaml/v3 v3.0.6
	golang.org/x/text v0.43.0
)

require golang.org/x/sys v0.49.0 // indirect
