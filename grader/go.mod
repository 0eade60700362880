module github.com/middle-go/course/grader

go 1.26.0
