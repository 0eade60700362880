module example.com/ringcourse

go 1.26.0

replace github.com/middle-go/course/grader/labkit => ./evil
