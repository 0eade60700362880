module github.com/middle-go/course/tasktracker

go 1.26.0
