// The command weather prints the current weather at several places.
package main

import (
	"os"

	"github.com/middle-go/course/module1/week04/weathercli"
)

func main() {
	os.Exit(weathercli.Main(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
