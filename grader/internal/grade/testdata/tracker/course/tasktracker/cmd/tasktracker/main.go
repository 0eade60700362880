// Tasktracker is a program that does nothing yet.
package main

import "os"

func main() { os.Exit(1) }
