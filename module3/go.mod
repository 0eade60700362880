module github.com/middle-go/course/module3

go 1.26.0
