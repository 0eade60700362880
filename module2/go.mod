module github.com/middle-go/course/module2

go 1.26.0
