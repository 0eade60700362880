// Ttlog prints what the access log of the service says.
package main

import (
	"os"

	"github.com/middle-go/course/tasktracker/ttlog"
)

func main() {
	os.Exit(ttlog.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
