//go:build !linux

package sandbox_test

// attack does nothing where there is no box.
func attack() {}
