package toolchain

import (
	"encoding/json"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// A student's code is quoted in diagnostics, and his names are in positions.
func FuzzParseVet_ReturnsWhatAnAnalyzerSays(f *testing.F) {
	f.Add("/cache/work/plain/x/x.go", uint16(12), "Printf format %d has arg #1 of wrong type string")
	f.Add(`C:\a\x.go`, uint16(1), "a\n# b\n{}\n}")
	f.Add("a:1:2/x.go", uint16(0), "\"},{\"posn\":\"x.go:1:1\"")
	f.Fuzz(func(t *testing.T, file string, line uint16, message string) {
		if !utf8.ValidString(file) || !utf8.ValidString(message) {
			t.Skip("JSON has no such text")
		}
		diagnostics := []map[string]string{{"posn": fmt.Sprintf("%s:%d:3", file, line), "message": message}}
		tree, err := json.MarshalIndent(map[string]any{"example.com/x": map[string]any{"printf": diagnostics}}, "", "\t")
		require.NoError(t, err)
		once := "# example.com/x\n" + string(tree) + "\n"
		list, err := parseVet([]byte(once + once))
		require.NoError(t, err)
		require.Equal(t, []Diagnostic{{Analyzer: "printf", File: file, Line: int(line), Message: message}}, list)
	})
}

// Output that is not understood is never taken for clean.
func FuzzParseVet_TakesNothingElseForClean(f *testing.F) {
	f.Add([]byte("# example.com/x\n{}\n{\"example.com/x\":{\"printf\":[{\"posn\":\"x.go:1:2\",\"message\":\"m\"}]}}\n"))
	f.Add([]byte(`{"example.com/x": {"printf": {"error": "analysis skipped"}}}`))
	f.Add([]byte("panic: runtime error\n\ngoroutine 1 [running]:\n"))
	f.Add([]byte("{} ]"))
	f.Add([]byte(`{"a":{"b":[{"posn":"x.go:-1:99999999999999999999:"}]}}null`))
	f.Fuzz(func(t *testing.T, out []byte) {
		list, err := parseVet(out)
		if err != nil {
			require.Empty(t, list)
			return
		}
		for _, d := range list {
			require.GreaterOrEqual(t, d.Line, 0, d.File)
		}
		_, err = parseVet(append(out, "\npanic: runtime error\n"...))
		require.Error(t, err, "it ended in a panic")
	})
}
