package weathercli

import "io"

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
	return ExitOutput
}
