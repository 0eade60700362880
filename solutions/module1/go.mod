module github.com/middle-go/course/module1

go 1.26.0
