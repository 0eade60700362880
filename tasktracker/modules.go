//go:build modules

// Package tasktracker lists the modules that the service may use besides the
// standard library. No build includes this file: it keeps them in go.mod while
// the skeleton does not need them yet.
package tasktracker

import (
	_ "github.com/go-chi/chi/v5"     // routing
	_ "github.com/google/go-cmp/cmp" // differences in tests
	_ "go.yaml.in/yaml/v3"           // configuration files, and the contract
	_ "golang.org/x/crypto/argon2"   // password hashes
)
