//course:since m05a

// Package tasktracker holds the contract of the service.
package tasktracker

import _ "embed"

// OpenAPI is the contract as an OpenAPI 3.1 document in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte
