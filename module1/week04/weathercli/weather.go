// Package weathercli is the command weather: it prints the current weather at
// several places, and still answers when the forecast API is down.
//
// The layers are the files. This one is the domain and knows nobody. service.go
// decides what to show, and knows the outside only through Forecaster and Cache.
// openmeteo.go and cache.go are that outside. main.go puts the parts together.
package weathercli

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// The failures that the layers above tell apart. Errors may wrap them.
var (
	ErrNotFound    = errors.New("no weather for this place")
	ErrUnavailable = errors.New("forecast unavailable")
)

// Place is where somebody wants to know the weather.
type Place struct {
	Name     string
	Lat, Lon float64 // degrees
}

// Key returns the coordinates of p, such as "52.52,13.405". Places with equal
// keys have the same weather.
func (p Place) Key() string {
	return strconv.FormatFloat(p.Lat, 'f', -1, 64) + "," + strconv.FormatFloat(p.Lon, 'f', -1, 64)
}

// Observation is the weather at one place and time.
type Observation struct {
	At           time.Time // with the UTC offset of the place
	TemperatureC float64
	WindKmh      float64
	Code         int // WMO weather code
}

// Forecaster knows the current weather. It is safe for concurrent use.
type Forecaster interface {
	// Current returns the weather now. The error matches ErrNotFound or
	// ErrUnavailable if it is one of these.
	Current(ctx context.Context, lat, lon float64) (Observation, error)
}

// Cache remembers the last observation for a key. It is safe for concurrent use.
type Cache interface {
	// Load returns the observation that was stored last under key, and when it
	// was stored. It returns false if there is none.
	Load(key string) (Observation, time.Time, bool)

	// Store remembers o, which arrived at the time at.
	Store(key string, o Observation, at time.Time) error
}
