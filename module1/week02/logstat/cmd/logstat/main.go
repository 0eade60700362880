// The command logstat counts the lines of access logs.
package main

import (
	"os"

	"github.com/middle-go/course/module1/week02/logstat"
)

func main() {
	os.Exit(logstat.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
