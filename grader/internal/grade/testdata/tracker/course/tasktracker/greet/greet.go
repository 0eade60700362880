// Package greet says hello.
package greet

// Hello returns a greeting.
func Hello() string { return "" }
