module example.com/ringcourse

go 1.26.0
