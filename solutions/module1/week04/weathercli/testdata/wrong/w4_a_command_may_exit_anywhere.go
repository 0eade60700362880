// Wrong: believes that a command may end the process wherever it finds a mistake.
// Caught by: TestMain_ExitCodes
// Replaces: main.go

package weathercli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Exit codes of the command.
const (
	ExitOK       = 0 // every place has an observation, stale or not
	ExitOutput   = 1 // stdout could not be written
	ExitUsage    = 2 // wrong flag or argument; nothing was sent
	ExitNotFound = 3 // no place has one, and the API knows none of them
	ExitNetwork  = 4 // no place has one, for other reasons too
	ExitPartial  = 5 // some places have one
)

// DefaultURL is the API that is asked unless -url or WEATHER_URL says otherwise.
const DefaultURL = "https://api.open-meteo.com"

// Main runs the command and returns its exit code. args are the arguments
// without the name of the command, and env looks up a variable of the
// environment, which is empty if it is not set. Only observations go to stdout.
func Main(args []string, env func(string) string, stdout, stderr io.Writer) int {
	cmd, err := parse(args, env, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return ExitOK
	case err != nil:
		fmt.Fprintf(stderr, "weather: %v\n", err)
		return ExitUsage
	}

	ctx, cancel := context.WithTimeout(context.Background(), cmd.timeout)
	defer cancel()
	results, _ := cmd.service.Lookup(ctx, cmd.places) // the results have the errors, too

	var out bytes.Buffer
	for _, r := range results {
		switch {
		case r.Err != nil:
			fmt.Fprintf(stderr, "weather: %s: %v\n", r.Place.Name, r.Err)
			continue
		case r.Warning != nil:
			fmt.Fprintf(stderr, "weather: warning: %s: %v\n", r.Place.Name, r.Warning)
		}
		cmd.print(&out, r)
	}
	if _, err := stdout.Write(out.Bytes()); err != nil {
		fmt.Fprintf(stderr, "weather: %v\n", err)
		return ExitOutput
	}
	return exitCode(results)
}

// exitCode returns what the results, at least one, mean for a script.
func exitCode(results []Result) int {
	failed, notFound := 0, 0
	for _, r := range results {
		if r.Err != nil {
			failed++
		}
		if errors.Is(r.Err, ErrNotFound) {
			notFound++
		}
	}
	switch {
	case failed == 0:
		return ExitOK
	case failed < len(results):
		return ExitPartial
	case notFound == failed:
		return ExitNotFound
	default:
		return ExitNetwork
	}
}

// command is what the command line asks for.
type command struct {
	service *Service
	places  []Place
	timeout time.Duration
	print   func(io.Writer, Result)
}

// parse returns what args ask for, or what is wrong with them. Its only output
// is that of package flag: the usage, for -h and for a wrong flag.
func parse(args []string, env func(string) string, stderr io.Writer) (*command, error) {
	flags := flag.NewFlagSet("weather", flag.ExitOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: weather [flags] NAME=LATITUDE,LONGITUDE ...")
		flags.PrintDefaults()
	}
	var (
		asJSON   = flags.Bool("json", false, "print one JSON object a line")
		timeout  = flags.Duration("timeout", 10*time.Second, "for everything together")
		maxAge   = flags.Duration("max-age", 10*time.Minute, "do not ask while the cached observation is younger")
		maxStale = flags.Duration("max-stale", 24*time.Hour, "when the API is down, use a cached observation that is younger")
		baseURL  = flags.String("url", cmp.Or(env("WEATHER_URL"), DefaultURL), "the forecast API, or WEATHER_URL")
		cacheDir = flags.String("cache", env("WEATHER_CACHE"), "directory of the cache, or WEATHER_CACHE")
	)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	cmd := &command{timeout: *timeout, print: printText}
	if *asJSON {
		cmd.print = printJSON
	}
	for _, arg := range flags.Args() {
		place, err := parsePlace(arg)
		if err != nil {
			return nil, err
		}
		cmd.places = append(cmd.places, place)
	}
	forecaster, err := NewOpenMeteo(*baseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("-url: %w", err)
	case len(cmd.places) == 0:
		return nil, errors.New("no places: write them as in berlin=52.52,13.405")
	case *cacheDir == "":
		return nil, errors.New("no directory for the cache: set -cache or WEATHER_CACHE")
	case *timeout <= 0 || *maxAge < 0 || *maxStale < 0:
		return nil, errors.New("-timeout must be above 0, -max-age and -max-stale must not be negative")
	}
	cmd.service = NewService(forecaster, NewFileCache(*cacheDir), time.Now, *maxAge, *maxStale)
	return cmd, nil
}

// parsePlace parses NAME=LATITUDE,LONGITUDE.
func parsePlace(arg string) (Place, error) {
	name, coordinates, _ := strings.Cut(arg, "=")
	latitude, longitude, _ := strings.Cut(coordinates, ",")
	lat, latOK := parseDegrees(latitude, 90)
	lon, lonOK := parseDegrees(longitude, 180)
	if name == "" || !latOK || !lonOK {
		return Place{}, fmt.Errorf("%q is not a place such as berlin=52.52,13.405", arg)
	}
	return Place{Name: name, Lat: lat, Lon: lon}, nil
}

// parseDegrees parses a number from -limit to limit. NaN is not among them.
func parseDegrees(s string, limit float64) (float64, bool) {
	d, err := strconv.ParseFloat(s, 64)
	return d, err == nil && math.Abs(d) <= limit
}

func printText(w io.Writer, r Result) {
	o, stale := r.Observation, ""
	if r.Stale {
		stale = " (stale)"
	}
	fmt.Fprintf(w, "%s: %.1f °C, wind %.1f km/h, code %d, %s%s\n",
		r.Place.Name, o.TemperatureC, o.WindKmh, o.Code, o.At.Format("2006-01-02 15:04 -07:00"), stale)
}

func printJSON(w io.Writer, r Result) {
	json.NewEncoder(w).Encode(struct {
		Place        string    `json:"place"`
		At           time.Time `json:"at"`
		TemperatureC float64   `json:"temperature_c"`
		WindKmh      float64   `json:"wind_kmh"`
		Code         int       `json:"code"`
		Stale        bool      `json:"stale"`
	}{r.Place.Name, r.Observation.At, r.Observation.TemperatureC, r.Observation.WindKmh, r.Observation.Code, r.Stale})
}
