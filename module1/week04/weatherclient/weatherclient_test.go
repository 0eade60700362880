package weatherclient_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/faultnet"
	"github.com/middle-go/course/grader/labkit/pipenet"
	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week04/weatherclient"
)

// Almost every test runs in a synctest bubble, with a network in memory: its
// clock moves only while all goroutines wait, so each time below is exact.

// recorded is an answer of the API.
const recorded = `{"latitude":52.52,"longitude":13.419998,"generationtime_ms":0.0512,"utc_offset_seconds":3600,` +
	`"timezone":"Europe/Berlin","timezone_abbreviation":"CET","elevation":38.0,` +
	`"current_units":{"time":"iso8601","interval":"seconds","temperature_2m":"°C","wind_speed_10m":"km/h","weather_code":"wmo code"},` +
	`"current":{"time":"2026-03-26T16:15","interval":900,"temperature_2m":8.4,"wind_speed_10m":14.3,"weather_code":61}}`

const call = "c.Current(ctx, 52.52, 13.405)"

func TestCurrent_LocalTimeWithOffset(t *testing.T) {
	for _, tc := range []struct {
		local  string
		offset int
		want   time.Time
	}{
		{"2026-03-26T16:15", 3600, time.Date(2026, 3, 26, 15, 15, 0, 0, time.UTC)},
		{"2026-03-26T23:50", -12600, time.Date(2026, 3, 27, 3, 20, 0, 0, time.UTC)},
		{"2026-01-01T03:00", 20700, time.Date(2025, 12, 31, 21, 15, 0, 0, time.UTC)},
		{"2026-03-26T16:15", 0, time.Date(2026, 3, 26, 16, 15, 0, 0, time.UTC)},
	} {
		t.Run(fmt.Sprintf("offset %d", tc.offset), func(t *testing.T) {
			body := fmt.Sprintf(`{"utc_offset_seconds":%d,"current":{"time":%q,"temperature_2m":8.4,"wind_speed_10m":14.3,"weather_code":61}}`, tc.offset, tc.local)
			inBubble(t, answer(200, "application/json", body), func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				_, offset := got.At.Zone()
				if err != nil || !got.At.Equal(tc.want) || offset != tc.offset {
					rule.Broken(t, rule.Case{
						Do:   call + " // the API answers\n// " + body,
						Got:  rule.Textf("At %v, which is %v; error %v", got.At, got.At.UTC(), err),
						Want: rule.Textf("At %s at an offset of %d s, which is %v", tc.local, tc.offset, tc.want),
						Why:  "An observation that is an hour off is called fresh when it is stale, and the other way round.",
					})
				}
			})
		})
	}
}

func TestCurrent_NullTemperature(t *testing.T) {
	whole := map[string]string{
		"time": `"2026-03-26T16:15"`, "temperature_2m": "8.4", "wind_speed_10m": "14.3", "weather_code": "61",
	}
	const why = "A sensor that is down must not become 0 °C: somebody salts a road, or does not."
	for _, missing := range []string{"temperature_2m", "wind_speed_10m", "weather_code", "time"} {
		for _, value := range []string{"null", "absent"} {
			t.Run(missing+" "+value, func(t *testing.T) {
				var members []string
				for _, name := range []string{"time", "temperature_2m", "wind_speed_10m", "weather_code"} {
					switch {
					case name != missing:
						members = append(members, fmt.Sprintf("%q:%s", name, whole[name]))
					case value == "null":
						members = append(members, fmt.Sprintf("%q:null", name))
					}
				}
				body := current(strings.Join(members, ","))
				inBubble(t, answer(200, "application/json", body), func(t *testing.T, api *fakeAPI) {
					got, err := api.current(t)
					requireError(t, call+" // the API answers\n// "+body, why, got, err,
						weatherclient.ErrMissingData, &weatherclient.DecodeError{Path: "current." + missing})
				})
			})
		}
	}
	t.Run("no offset", func(t *testing.T) {
		body := strings.Replace(recorded, `"utc_offset_seconds":3600`, `"utc_offset_seconds":null`, 1)
		inBubble(t, answer(200, "application/json", body), func(t *testing.T, api *fakeAPI) {
			got, err := api.current(t)
			requireError(t, call+" // the API answers\n// "+body, "A local time without its offset is no point in time.", got, err,
				weatherclient.ErrMissingData, &weatherclient.DecodeError{Path: "utc_offset_seconds"})
		})
	})
	for _, body := range []string{`{"utc_offset_seconds":3600}`, `{"utc_offset_seconds":3600,"current":null}`, `{}`, `null`} {
		t.Run(body, func(t *testing.T) {
			inBubble(t, answer(200, "application/json", body), func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				requireError(t, call+" // the API answers "+body, why, got, err, weatherclient.ErrMissingData, anyPath)
			})
		})
	}
}

func TestCurrent_DecodeErrorPath(t *testing.T) {
	const members = `"time":"2026-03-26T16:15","temperature_2m":8.4,"wind_speed_10m":14.3,"weather_code":61`
	for _, tc := range []struct{ name, body, path string }{
		{"broken JSON", `{"current":`, ""},
		{"an array", `[]`, ""},
		{"nothing", ``, ""},
		{"two values", recorded + recorded, ""},
		{"temperature in quotes", current(strings.Replace(members, "8.4", `"8.4"`, 1)), "current.temperature_2m"},
		{"code with a fraction", current(strings.Replace(members, "61", "61.5", 1)), "current.weather_code"},
		{"time without T", current(strings.Replace(members, "26T16", "26 16", 1)), "current.time"},
		{"time with an offset of its own", current(strings.Replace(members, "16:15", "16:15+01:00", 1)), "current.time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, answer(200, "application/json", tc.body), func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				requireError(t, call+" // the API answers\n// "+strconv.Quote(tc.body),
					"Whoever is on call reads in the log which member changed, and need not fetch the answer again.",
					got, err, &weatherclient.DecodeError{Path: tc.path})
			})
		})
	}
}

func TestCurrent_502HTML(t *testing.T) {
	page := "<html><body><h1>502 Bad Gateway</h1>" + strings.Repeat("<p>nginx</p>", 100) + "</body></html>"
	for _, contentType := range []string{"text/html", "text/html; charset=utf-8"} {
		t.Run(contentType, func(t *testing.T) {
			inBubble(t, answer(502, contentType, page), func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				requireError(t, call+" // a proxy answers 502 with an HTML page",
					"\"invalid character '<'\" sends somebody to debug JSON while a gateway is down.",
					got, err, &weatherclient.APIError{Status: 502})
			})
		})
	}
}

func TestCurrent_400Reason(t *testing.T) {
	const reason = "Latitude must be in range of -90 to 90°. Given: 91.0."
	for _, tc := range []struct {
		name, contentType, body string
		status                  int
		want                    string
	}{
		{"error object", "application/json; charset=utf-8", `{"error":true,"reason":"` + reason + `"}`, 400, reason},
		{"error object with status 200", "application/json", `{"error":true,"reason":"` + reason + `"}`, 200, reason},
		{"no body", "", "", 400, ""},
		{"text", "text/plain", "bad request", 400, ""},
		{"JSON that is no object", "application/json", `"bad request"`, 400, ""},
		{"reason that is no text", "application/json", `{"error":true,"reason":91}`, 400, ""},
		{"broken JSON", "application/json", `{"error":true,"reason":"Lat`, 500, ""},
		{"created, with an observation", "application/json", recorded, 201, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, answer(tc.status, tc.contentType, tc.body), func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				requireError(t, fmt.Sprintf("%s // the API answers %d, Content-Type %q\n// %s", call, tc.status, tc.contentType, tc.body),
					"The reason is the only part of a refusal that a person can act on.",
					got, err, &weatherclient.APIError{Status: tc.status, Reason: tc.want})
			})
		})
	}
}

func TestCurrent_429RetryAfterSecondsAndDate(t *testing.T) {
	for _, tc := range []struct {
		name  string
		value func() string
		want  time.Duration
	}{
		{"seconds", fixed("120"), 2 * time.Minute},
		{"date in GMT", func() string { return time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat) }, 90 * time.Second},
		{"date in the past", func() string { return time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat) }, 0},
		{"absent", fixed(""), 0},
		{"zero", fixed("0"), 0},
		{"negative", fixed("-5"), 0},
		{"as many seconds as a Duration holds", fixed("9223372036"), 9223372036 * time.Second},
		{"more seconds than a Duration holds", fixed("9223372037"), 0},
		{"more seconds than an int64 holds", fixed("99999999999999999999"), 0},
		{"neither", fixed("soon"), 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var value string
			handler := func(w http.ResponseWriter, r *http.Request) {
				value = tc.value()
				if value != "" {
					w.Header().Set("Retry-After", value)
				}
				answer(429, "application/json", `{"error":true,"reason":"Minutely limit exceeded."}`)(w, r)
			}
			inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				requireError(t, fmt.Sprintf("%s // it is %s, and the API answers 429, Retry-After: %s", call, time.Now().UTC().Format(http.TimeFormat), value),
					"A client that misreads Retry-After comes back too early, and the API blocks its key.",
					got, err, &weatherclient.APIError{Status: 429, Reason: "Minutely limit exceeded.", RetryAfter: tc.want})
			})
		})
	}
}

func TestCurrent_RefusalWithBrokenBody(t *testing.T) {
	handler := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "30")
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(503)
		io.WriteString(w, `{"error":true,"reason":"Over`)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
		got, err := api.current(t)
		requireError(t, call+" // the API answers 503, Retry-After: 30, and the body breaks off",
			"Status and Retry-After arrived. A server that is going down cuts many bodies short.",
			got, err, &weatherclient.APIError{Status: 503, RetryAfter: 30 * time.Second})
	})
}

func TestCurrent_WrongContentType(t *testing.T) {
	for _, tc := range []struct{ contentType, body string }{
		{"text/html", "<html>Welcome to the airport. Please accept our terms.</html>"},
		{"text/plain", recorded},
		{"text/html; was=application/json", recorded},
		{"application/jsonp", recorded},
		{"application/json-seq", recorded},
		{"", recorded},
	} {
		t.Run(fmt.Sprintf("%q", tc.contentType), func(t *testing.T) {
			inBubble(t, answer(200, tc.contentType, tc.body), func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				requireError(t, fmt.Sprintf("%s // status 200, Content-Type %q", call, tc.contentType),
					"A page of a captive portal comes with status 200. It is not the API that answers.",
					got, err, weatherclient.ErrContentType)
			})
		})
	}
}

func TestCurrent_TruncatedBody(t *testing.T) {
	for _, tc := range []struct {
		name    string
		sent    string
		chunked bool
	}{
		{"in the middle", recorded[:300], false},
		{"in the middle of chunks", recorded[:300], true},
		{"before the first byte", "", false},
		{"after the last brace", recorded, false},
		{"after the last brace, chunked", recorded, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			handler := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if !tc.chunked {
					w.Header().Set("Content-Length", strconv.Itoa(len(recorded)+10))
				}
				io.WriteString(w, tc.sent)
				http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
			inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				requireError(t, fmt.Sprintf("%s // the answer breaks off after %d bytes", call, len(tc.sent)),
					"A broken connection is worth another try, a broken answer is not: the caller has to tell them apart.",
					got, err, io.ErrUnexpectedEOF)
			})
		})
	}
}

func TestCurrent_ConnReset(t *testing.T) {
	for _, after := range []int64{0, 300} {
		t.Run(fmt.Sprintf("after %d bytes", after), func(t *testing.T) {
			fault := faultnet.Fault{Kind: faultnet.Reset, After: after}
			inFaultyBubble(t, fault, answer(200, "application/json", recorded), func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				requireError(t, fmt.Sprintf("%s // the connection is reset after %d bytes of the answer", call, after),
					"The cause in the chain tells a reset from a wrong host name, and a retry from an alarm.",
					got, err, syscall.ECONNRESET)
				api.requireRequests(t, call+" // the connection is reset", 1)
			})
		})
	}
}

func TestCurrent_SlowHeaders(t *testing.T) {
	inBubble(t, silent, func(t *testing.T, api *fakeAPI) {
		start := time.Now()
		got, err := api.current(t)
		const do = "c, _ := New(Config{BaseURL: base, HTTP: hc, Timeout: 3 * time.Second})\n" + call + " // the API sends nothing for an hour"
		const why = "An http.Client without a timeout waits forever. A hundred of these calls are a hundred goroutines that never return."
		requireElapsed(t, do, why, start, 3*time.Second, err)
		requireError(t, do, why, got, err, weatherclient.ErrTimeout, context.DeadlineExceeded)
	})
}

func TestCurrent_TrickleBody(t *testing.T) {
	const why = "A timeout that ends with the headers lets a server hold the caller with one byte a second."
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		fault   faultnet.Fault
		want    []error
	}{
		{"one byte of the body a second", slowly(200), faultnet.Fault{}, timedOut},
		{"body that never comes", stalled(200), faultnet.Fault{}, timedOut},
		{"one byte of the headers a second", answer(200, "application/json", recorded), faultnet.Fault{Kind: faultnet.Trickle, Every: time.Second}, timedOut},
		{"refusal, one byte a second", slowly(503), faultnet.Fault{}, nil}, // ErrTimeout or *APIError
		{"refusal without its body", stalled(503), faultnet.Fault{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inFaultyBubble(t, tc.fault, tc.handler, func(t *testing.T, api *fakeAPI) {
				do := "c, _ := New(Config{BaseURL: base, HTTP: hc, Timeout: 3 * time.Second})\n" + call + " // " + tc.name
				start := time.Now()
				got, err := api.current(t)
				requireElapsed(t, do, why, start, 3*time.Second, err)
				if tc.want != nil {
					requireError(t, do, why, got, err, tc.want...)
				}
			})
		})
	}
}

func TestCurrent_CallerCancelVsTimeout(t *testing.T) {
	errShutdown := errors.New("service shuts down")
	const why = "After a timeout another try may help. After the caller has left, nothing does."
	for _, tc := range []struct {
		name    string
		do      string
		ctx     func(context.Context) (context.Context, context.CancelFunc)
		elapsed time.Duration
		want    []error
	}{
		{
			"cancelled", "ctx is cancelled after 1 s",
			func(parent context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(parent)
				timer := time.AfterFunc(time.Second, cancel)
				return ctx, func() { timer.Stop(); cancel() }
			},
			time.Second, []error{context.Canceled},
		},
		{
			"cancelled with a cause", "ctx is cancelled after 1 s with the cause errShutdown",
			func(parent context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(parent)
				timer := time.AfterFunc(time.Second, func() { cancel(errShutdown) })
				return ctx, func() { timer.Stop(); cancel(nil) }
			},
			time.Second, []error{context.Canceled, errShutdown},
		},
		{
			"the caller's deadline is earlier", "ctx has a deadline in 1 s",
			func(parent context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(parent, time.Second)
			},
			time.Second, []error{context.DeadlineExceeded},
		},
		{
			"the caller's deadline is later", "ctx has a deadline in 1 m",
			func(parent context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(parent, time.Minute)
			},
			3 * time.Second, timedOut,
		},
	} {
		for _, phase := range []struct {
			name    string
			handler http.HandlerFunc
		}{{"before the headers", silent}, {"in the body", stalled(200)}} {
			t.Run(tc.name+", "+phase.name, func(t *testing.T) {
				inBubble(t, phase.handler, func(t *testing.T, api *fakeAPI) {
					ctx, cancel := tc.ctx(t.Context())
					defer cancel()
					start := time.Now()
					got, err := api.client.Current(ctx, 52.52, 13.405)
					do := fmt.Sprintf("c, _ := New(Config{BaseURL: base, HTTP: hc, Timeout: 3 * time.Second})\n%s // %s, the API stalls %s", call, tc.do, phase.name)
					requireElapsed(t, do, why, start, tc.elapsed, err)
					requireError(t, do, why, got, err, tc.want...)
				})
			})
		}
	}
	t.Run("done before the call", func(t *testing.T) {
		inBubble(t, answer(200, "application/json", recorded), func(t *testing.T, api *fakeAPI) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			got, err := api.client.Current(ctx, 52.52, 13.405)
			requireError(t, call+" // ctx is done", why, got, err, context.Canceled)
			api.requireRequests(t, call+" // ctx is done", 0)
		})
	})
}

func TestCurrent_HugeBody(t *testing.T) {
	const maxBody, drain, buffers, all = 64 << 10, 64 << 10, 32 << 10, 16 << 20
	for _, tc := range []struct {
		name   string
		status int
		size   int
		length bool // whether Content-Length says the size
		want   []error
	}{
		{"exactly MaxBody", 200, maxBody, false, nil},
		{"exactly MaxBody, with Content-Length", 200, maxBody, true, nil},
		{"one byte more", 200, maxBody + 1, false, tooLarge},
		{"one byte more, with Content-Length", 200, maxBody + 1, true, tooLarge},
		{"256 times as much", 200, all, false, tooLarge},
		{"256 times as much, with Content-Length", 200, all, true, tooLarge},
		{"256 times as much, as a refusal", 500, all, false, []error{&weatherclient.APIError{Status: 500}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var sent atomic.Int64
			handler := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if tc.length {
					w.Header().Set("Content-Length", strconv.Itoa(tc.size))
				}
				w.WriteHeader(tc.status)
				body := []byte(recorded + strings.Repeat(" ", 4096-len(recorded)))
				for left := tc.size; left > 0; {
					n, err := w.Write(body[:min(left, len(body))])
					if err != nil {
						return
					}
					sent.Add(int64(n))
					left -= n
					body = bytes.Repeat([]byte(" "), 4096)
				}
			}
			inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
				api.configure(t, func(cfg *weatherclient.Config) { cfg.MaxBody = maxBody })
				got, err := api.current(t)
				do := fmt.Sprintf("c, _ := New(Config{BaseURL: base, HTTP: hc, MaxBody: %d})\n%s // status %d, an observation and spaces, %d bytes in all", maxBody, call, tc.status, tc.size)
				const why = "The size of an answer is the server's choice. Without a limit it is the server that decides when you are out of memory."
				if tc.want != nil {
					requireError(t, do, why, got, err, tc.want...)
				} else if err != nil {
					rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil, Why: "The limit is the size of the largest answer that is taken."})
				}
				synctest.Wait()
				if n := sent.Load(); n > maxBody+drain+buffers {
					rule.Broken(t, rule.Case{
						Do:   do,
						Got:  rule.Textf("the server sent %d bytes before the connection was closed", n),
						Want: rule.Textf("at most %d: MaxBody, 64 KiB more, and buffers on the way", maxBody+drain+buffers),
						Why:  "What is refused for its size must not be read to its end.",
					})
				}
			})
		})
	}
}

func TestCurrent_Gzip(t *testing.T) {
	var asked string
	handler := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			asked = r.Header.Get("Accept-Encoding")
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, body)
			z.Close()
		}
	}
	t.Run("answer", func(t *testing.T) {
		inBubble(t, handler(recorded), func(t *testing.T, api *fakeAPI) {
			got, err := api.current(t)
			if err != nil || got.TemperatureC != 8.4 || asked != "gzip" {
				rule.Broken(t, rule.Case{
					Do:   call + " // the API compresses its answer with gzip",
					Got:  rule.Textf("%+v, error %v; the request had Accept-Encoding: %s", got, err, asked),
					Want: rule.Text("the observation of 8.4 °C; the request had Accept-Encoding: gzip"),
					Why:  "net/http asks for gzip and decompresses, as long as nobody sets Accept-Encoding by hand.",
				})
			}
		})
	})
	t.Run("bomb", func(t *testing.T) {
		inBubble(t, handler(recorded+strings.Repeat(" ", 4<<20)), func(t *testing.T, api *fakeAPI) {
			api.configure(t, func(cfg *weatherclient.Config) { cfg.MaxBody = 64 << 10 })
			got, err := api.current(t)
			requireError(t, "c, _ := New(Config{BaseURL: base, HTTP: hc, MaxBody: 64 << 10})\n"+call+" // 4 MiB that gzip makes 4 KiB of",
				"A limit on compressed bytes is no limit: gzip shrinks spaces a thousandfold.", got, err, tooLarge...)
		})
	})
}

func TestCurrent_RedirectLoop(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			handler := func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", r.URL.String())
				w.WriteHeader(status)
			}
			inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				do := fmt.Sprintf("%s // the API answers %d with its own address", call, status)
				const why = "The API has no redirects. One that appears is a portal or a mistake, and following it asks strangers for the weather."
				requireError(t, do, why, got, err, &weatherclient.APIError{Status: status})
				api.requireRequests(t, do, 1)
			})
		})
	}
}

func TestCurrent_ConnectionReused(t *testing.T) {
	page := "<html>" + strings.Repeat("<p>nginx</p>", 2000) + "</html>"
	handlers := []http.HandlerFunc{
		answer(200, "application/json", recorded),
		answer(502, "text/html", page),
		answer(429, "application/json", `{"error":true,"reason":"Minutely limit exceeded."}`),
		answer(200, "text/html", page),
		answer(400, "application/json", `{"error":true,"reason":"Bad."}`+strings.Repeat(" ", 60<<10)),
		answer(200, "application/json", `{"current":null}`+strings.Repeat("\n", 20<<10)),
		answer(200, "application/json", `{"current":`),
		answer(302, "text/html", page),
		answer(404, "", ""),
		answer(200, "application/json", recorded+strings.Repeat(" ", 60<<10)),
	}
	var next atomic.Int64 // each connection has a goroutine
	handler := func(w http.ResponseWriter, r *http.Request) {
		n := int(next.Add(1)) - 1
		handlers[n%len(handlers)](w, r)
	}
	inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
		ok := 0
		for range 20 {
			if _, err := api.current(t); err == nil {
				ok++
			}
		}
		const do = "for range 20 {\n\tc.Current(ctx, 52.52, 13.405) // 4 observations, 16 refusals and broken answers of up to 61 KiB\n}"
		api.requireRequests(t, do, 20)
		if conns := api.network.Dialed(address); conns != 1 || ok != 4 {
			rule.Broken(t, rule.Case{
				Do:   do,
				Got:  rule.Textf("%d connections, %d observations", conns, ok),
				Want: rule.Text("1 connection, 4 observations"),
				Why:  "A body that is not read to its end costs its connection. During an outage every call pays for a new one, and the API gets a storm of handshakes.",
			})
		}
	})
}

func TestCurrent_ClosesEveryBody(t *testing.T) {
	const maxBody, drain = 64 << 10, 64 << 10
	spaces := strings.Repeat(" ", 4<<20)
	for _, tc := range []struct {
		name        string
		status      int
		contentType string
		content     string
	}{
		{"an observation", 200, "application/json", recorded},
		{"a refusal", 503, "text/html", "<html>Over capacity</html>"},
		{"the wrong content type", 200, "text/html", "<html>Welcome</html>"},
		{"an observation and 4 MiB of spaces", 200, "application/json", recorded + spaces},
		{"a refusal of 4 MiB", 500, "application/json", `{"reason":"Over capacity"}` + spaces},
		{"a page of 4 MiB", 500, "text/html", spaces},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &body{r: strings.NewReader(tc.content)}
				hc := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
					header := http.Header{"Content-Type": {tc.contentType}}
					return &http.Response{StatusCode: tc.status, Header: header, Body: b, ContentLength: -1, Request: r}, nil
				})}
				do := fmt.Sprintf("c, _ := New(Config{BaseURL: base, HTTP: hc, MaxBody: %d})\n%s // status %d, Content-Type %s, %d bytes", maxBody, call, tc.status, tc.contentType, len(tc.content))
				c, err := weatherclient.New(weatherclient.Config{BaseURL: "http://api.example", HTTP: hc, MaxBody: maxBody})
				if err == nil {
					_, _ = c.Current(t.Context(), 52.52, 13.405)
				}
				if !b.closed {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Text("the body is still open"), Want: rule.Text("a body that is closed"),
						Why: "A body that nobody closes holds its connection, and four thousand of them are every socket of the process.",
					})
				}
				if small := len(tc.content) < drain; small && !b.ended || b.n > maxBody+drain+1 {
					want := rule.Textf("at most %d bytes read", maxBody+drain+1)
					if small {
						want = rule.Text("the body is read until io.EOF")
					}
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("%d bytes read, up to io.EOF: %v", b.n, b.ended), Want: want,
						Why: "A short rest is read to keep the connection. A long one costs more than a new connection.",
					})
				}
			})
		})
	}
}

func TestCurrent_LetsGoOfTheContext(t *testing.T) {
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"an observation", answer(200, "application/json", recorded)},
		{"a refusal", answer(503, "text/html", "<html>Over capacity</html>")},
		{"a missing member", answer(200, "application/json", `{}`)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, tc.handler, func(t *testing.T, api *fakeAPI) {
				ctx := &watchedContext{Context: t.Context(), done: make(chan struct{})}
				_, _ = api.client.Current(ctx, 52.52, 13.405)
				api.requireRequests(t, call+" // "+tc.name, 1)
				synctest.Wait()
				if n := ctx.waiting.Load(); n != 0 {
					rule.Broken(t, rule.Case{
						Do:   call + " // " + tc.name + ", long before the timeout",
						Got:  rule.Textf("%d contexts made from ctx still wait for its end", n),
						Want: rule.Text("none"),
						Why:  "A context that lives as long as the service collects one child and one timer for each call. Only cancel takes them off.",
					})
				}
			})
		})
	}
}

func TestErrors_TextsHelp(t *testing.T) {
	for _, tc := range []struct {
		do   string
		err  error
		want []string
	}{
		{`&APIError{Status: 400, Reason: "Latitude must be in range"}`, &weatherclient.APIError{Status: 400, Reason: "Latitude must be in range"}, []string{"400", "Latitude must be in range"}},
		{`&APIError{Status: 502}`, &weatherclient.APIError{Status: 502}, []string{"502"}},
		{`&DecodeError{Path: "current.time", Err: ErrMissingData}`, &weatherclient.DecodeError{Path: "current.time", Err: weatherclient.ErrMissingData}, []string{"current.time", weatherclient.ErrMissingData.Error()}},
		{`&DecodeError{Err: io.ErrNoProgress}`, &weatherclient.DecodeError{Err: io.ErrNoProgress}, []string{io.ErrNoProgress.Error()}},
	} {
		for _, part := range tc.want {
			if got := tc.err.Error(); !strings.Contains(got, part) {
				rule.Broken(t, rule.Case{
					Do:   "fmt.Println(" + tc.do + ")",
					Got:  rule.Text(got),
					Want: rule.Textf("a text that contains %q", part),
					Why:  "The log has the text and nothing else. Whoever is on call must not have to repeat the call to learn what was wrong.",
				})
			}
		}
	}
}

func TestCurrent_QueryEncoding(t *testing.T) {
	for _, tc := range []struct {
		base             string
		lat, lon         float64
		path             string
		wantLat, wantLon string
	}{
		{"http://api.example", 52.52, 13.405, "/v1/forecast", "52.52", "13.405"},
		{"http://api.example/", -33.8688, 151.2093, "/v1/forecast", "-33.8688", "151.2093"},
		{"http://api.example/weather/eu", 1e-7, -2.5e-8, "/weather/eu/v1/forecast", "0.0000001", "-0.000000025"},
		{"http://api.example/weather/", 90, -180, "/weather/v1/forecast", "90", "-180"},
		{"HTTP://api.example:80/a%2Fb", 48.123456789, 180, "/a%2Fb/v1/forecast", "48.123456789", "180"},
	} {
		t.Run(tc.base, func(t *testing.T) {
			var got *http.Request
			handler := func(w http.ResponseWriter, r *http.Request) {
				got = r
				answer(200, "application/json", recorded)(w, r)
			}
			inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
				api.configure(t, func(cfg *weatherclient.Config) { cfg.BaseURL, cfg.UserAgent = tc.base, "roadsalt/2 (ops@example.org)" })
				do := fmt.Sprintf("c, _ := New(Config{BaseURL: %q, HTTP: hc, UserAgent: \"roadsalt/2 (ops@example.org)\"})\nc.Current(ctx, %v, %v)", tc.base, tc.lat, tc.lon)
				_, err := api.client.Current(t.Context(), tc.lat, tc.lon)
				if err != nil {
					rule.Broken(t, rule.Case{Do: do, Got: err, Want: nil})
				}
				type request struct {
					Method, Path      string
					Query             url.Values
					Accept, UserAgent string
				}
				sent := request{got.Method, got.URL.EscapedPath(), got.URL.Query(), got.Header.Get("Accept"), got.UserAgent()}
				want := request{"GET", tc.path, url.Values{
					"latitude":  {tc.wantLat},
					"longitude": {tc.wantLon},
					"current":   {"temperature_2m,wind_speed_10m,weather_code"},
					"timezone":  {"auto"},
				}, "application/json", "roadsalt/2 (ops@example.org)"}
				if diff := cmp.Diff(want, sent); diff != "" {
					rule.Broken(t, rule.Case{
						Do: do, Got: rule.Textf("%+v", sent), Want: rule.Textf("%+v", want),
						Why: "A coordinate that is rounded on its way asks for the weather of the next village.",
					})
				}
			})
		})
	}
}

func TestNew_RejectsBadURLAndCoordinates(t *testing.T) {
	for _, cfg := range []weatherclient.Config{
		{},
		{BaseURL: "api.example"},
		{BaseURL: "api.example:80"},
		{BaseURL: "/v1"},
		{BaseURL: "ftp://api.example"},
		{BaseURL: "http://"},
		{BaseURL: "http://:8080"},
		{BaseURL: "http:api.example"},
		{BaseURL: "http://api.example/%zz"},
		{BaseURL: "http://user:secret@api.example"},
		{BaseURL: "http://api.example?key=1"},
		{BaseURL: "http://api.example#top"},
		{BaseURL: "http://api.example", Timeout: -1},
		{BaseURL: "http://api.example", MaxBody: -1},
	} {
		t.Run(fmt.Sprintf("%q timeout %d limit %d", cfg.BaseURL, cfg.Timeout, cfg.MaxBody), func(t *testing.T) {
			if c, err := weatherclient.New(cfg); err == nil || c != nil {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("c, err := New(Config{BaseURL: %q, Timeout: %d, MaxBody: %d})", cfg.BaseURL, cfg.Timeout, cfg.MaxBody),
					Got:  rule.Textf("c == nil: %v, error %v", c == nil, err),
					Want: rule.Text("nil and an error"),
					Why:  "A wrong configuration stops the deploy, or it fails every request until somebody looks.",
				})
			}
		})
	}
	t.Run("https is fine", func(t *testing.T) {
		const base = "https://api.example/weather"
		if c, err := weatherclient.New(weatherclient.Config{BaseURL: base}); err != nil || c == nil {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("c, err := New(Config{BaseURL: %q})", base),
				Got:  rule.Textf("c == nil: %v, error %v", c == nil, err),
				Want: rule.Text("a client"),
				Why:  "Production speaks https, even where every test speaks http.",
			})
		}
	})
	for _, at := range [][2]float64{
		{90.001, 0}, {-90.001, 0}, {0, 180.001}, {0, -180.001},
		{math.NaN(), 0}, {0, math.NaN()}, {math.Inf(1), 0}, {0, math.Inf(-1)},
	} {
		t.Run(fmt.Sprintf("coordinates %v %v", at[0], at[1]), func(t *testing.T) {
			inBubble(t, answer(200, "application/json", recorded), func(t *testing.T, api *fakeAPI) {
				got, err := api.client.Current(t.Context(), at[0], at[1])
				do := fmt.Sprintf("c.Current(ctx, %v, %v)", at[0], at[1])
				requireError(t, do, "Latitude and longitude get swapped. The API should not be the first to notice.", got, err, weatherclient.ErrCoordinates)
				api.requireRequests(t, do, 0)
			})
		})
	}
}

func TestNew_Defaults(t *testing.T) {
	t.Run("timeout", func(t *testing.T) {
		inBubble(t, silent, func(t *testing.T, api *fakeAPI) {
			api.configure(t, func(cfg *weatherclient.Config) { cfg.Timeout = 0 })
			start := time.Now()
			got, err := api.current(t)
			const do = "c, _ := New(Config{BaseURL: base, HTTP: hc})\n" + call + " // the API sends nothing for an hour"
			const why = "A timeout that somebody forgot to set must not mean forever."
			requireElapsed(t, do, why, start, 10*time.Second, err)
			requireError(t, do, why, got, err, timedOut...)
		})
	})
	for _, extra := range []int{0, 1} {
		t.Run(fmt.Sprintf("1 MiB and %d bytes", extra), func(t *testing.T) {
			body := recorded + strings.Repeat(" ", 1<<20-len(recorded)+extra)
			inBubble(t, answer(200, "application/json", body), func(t *testing.T, api *fakeAPI) {
				_, err := api.current(t)
				if tooBig := errors.Is(err, weatherclient.ErrBodyTooLarge); tooBig != (extra > 0) || (err != nil) != tooBig {
					rule.Broken(t, rule.Case{
						Do:   fmt.Sprintf("c, _ := New(Config{BaseURL: base, HTTP: hc})\n%s // an observation and spaces, %d bytes", call, len(body)),
						Got:  rule.Textf("error %v", err),
						Want: rule.Text("ErrBodyTooLarge above 1 MiB, and only there"),
					})
				}
			})
		})
	}
	t.Run("user agent", func(t *testing.T) {
		var agent string
		handler := func(w http.ResponseWriter, r *http.Request) {
			agent = r.UserAgent()
			answer(200, "application/json", recorded)(w, r)
		}
		inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
			if _, err := api.current(t); err != nil || agent != "Go-http-client/1.1" {
				rule.Broken(t, rule.Case{
					Do:   "c, _ := New(Config{BaseURL: base, HTTP: hc})\n" + call,
					Got:  rule.Textf("User-Agent %q, error %v", agent, err),
					Want: rule.Text(`User-Agent "Go-http-client/1.1", the one of net/http`),
				})
			}
		})
	})
	t.Run("HTTP client", func(t *testing.T) { // on a socket, because the default transport dials one
		server := httptest.NewServer(answer(200, "application/json", recorded))
		defer server.Close()
		client, err := weatherclient.New(weatherclient.Config{BaseURL: server.URL})
		if err == nil {
			_, err = client.Current(t.Context(), 52.52, 13.405)
		}
		if err != nil {
			rule.Broken(t, rule.Case{Do: "c, err := New(Config{BaseURL: base})\n" + call, Got: err, Want: nil})
		}
	})
}

func TestNew_LeavesTheHTTPClientAlone(t *testing.T) {
	inBubble(t, answer(200, "application/json", recorded), func(t *testing.T, api *fakeAPI) {
		hc := api.network.Client()
		transport := hc.Transport
		api.configure(t, func(cfg *weatherclient.Config) { cfg.HTTP = hc })
		_, err := api.current(t)
		if err != nil || hc.Transport != transport || hc.CheckRedirect != nil || hc.Timeout != 0 || hc.Jar != nil {
			rule.Broken(t, rule.Case{
				Do: `hc := &http.Client{Transport: transport}
c, _ := New(Config{BaseURL: base, HTTP: hc, Timeout: 3 * time.Second})
` + call,
				Got:  rule.Textf("error %v; hc has Timeout %v, CheckRedirect set: %v, its own transport: %v", err, hc.Timeout, hc.CheckRedirect != nil, hc.Transport == transport),
				Want: rule.Text("hc as it was"),
				Why:  "The HTTP client is shared with other packages. Your timeout would cut off their uploads.",
			})
		}
	})
}

func TestCurrent_ConcurrentUse(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		members := `"time":"2026-03-26T16:15","wind_speed_10m":1,"weather_code":0,"temperature_2m":` + r.FormValue("latitude")
		answer(200, "application/json", current(members))(w, r)
	}
	inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
		const callers = 8
		failed := make(chan string, callers)
		for i := range callers {
			go func() {
				for j := range 5 {
					lat := float64(10*i + j)
					if got, err := api.client.Current(t.Context(), lat, 0); err != nil || got.TemperatureC != lat {
						failed <- fmt.Sprintf("c.Current(ctx, %v, 0) = %+v, error %v", lat, got, err)
						return
					}
				}
				failed <- ""
			}()
		}
		for range callers {
			if got := <-failed; got != "" {
				rule.Broken(t, rule.Case{
					Do:   "// 8 goroutines call Current of one Client; the API answers with the latitude as temperature",
					Got:  rule.Text(got),
					Want: rule.Text("each caller gets the answer to its own request"),
					Why:  "One client serves all requests of a service at the same time.",
				})
			}
		}
	})
}

func TestCurrent_OK(t *testing.T) {
	want := weatherclient.Observation{
		At:           time.Date(2026, 3, 26, 15, 15, 0, 0, time.UTC),
		TemperatureC: 8.4, WindKmh: 14.3, Code: 61,
		Place: "Europe/Berlin",
	}
	for _, tc := range []struct{ name, contentType, body string }{
		{"recorded answer", "application/json; charset=utf-8", recorded},
		{"media type in another case", "Application/JSON", recorded},
		{"spaces at the end", "application/json", recorded + "\r\n \t\n"},
		{"members that nobody asked for", "application/json", strings.Replace(recorded, `"interval":900`, `"rain":[null,{}]`, 1)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, answer(200, tc.contentType, tc.body), func(t *testing.T, api *fakeAPI) {
				got, err := api.current(t)
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					rule.Broken(t, rule.Case{
						Do:   call + " // the API answers 200, Content-Type " + tc.contentType + "\n// " + strconv.Quote(tc.body),
						Got:  rule.Textf("%+v, error %v", got, err),
						Want: rule.Textf("%+v, error nil", want),
					})
				}
			})
		})
	}
	t.Run("zero is a value", func(t *testing.T) {
		body := current(`"time":"2026-01-01T00:00","temperature_2m":0,"wind_speed_10m":0,"weather_code":0`)
		inBubble(t, answer(200, "application/json", body), func(t *testing.T, api *fakeAPI) {
			if got, err := api.current(t); err != nil {
				rule.Broken(t, rule.Case{
					Do:   call + " // the API answers\n// " + body,
					Got:  rule.Textf("%+v, error %v", got, err),
					Want: rule.Text("an observation of 0 °C, 0 km/h and code 0"),
					Why:  "A calm night at the freezing point is weather, not a failure.",
				})
			}
		})
	})
}

// TestCurrent_RandomObservations compares Current with answers that are made
// from random observations.
func TestCurrent_RandomObservations(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	var body string
	handler := func(w http.ResponseWriter, r *http.Request) { answer(200, "application/json", body)(w, r) }
	inBubble(t, handler, func(t *testing.T, api *fakeAPI) {
		for range 100 {
			offset := 900 * (rng.IntN(105) - 48)
			at := time.Unix(60*rng.Int64N(2_000_000_000/60), 0).UTC()
			want := weatherclient.Observation{
				At:           at,
				TemperatureC: float64(rng.IntN(1200)-600) / 10,
				WindKmh:      float64(rng.IntN(3000)) / 10,
				Code:         rng.IntN(100),
				Place:        fmt.Sprintf("Area/City%d", rng.IntN(100)),
			}
			body = fmt.Sprintf(`{"current":{"weather_code":%d,"wind_speed_10m":%v,"temperature_2m":%v,"time":%q},"timezone":%q,"utc_offset_seconds":%d}`,
				want.Code, want.WindKmh, want.TemperatureC,
				at.Add(time.Duration(offset)*time.Second).Format("2006-01-02T15:04"), want.Place, offset)
			got, err := api.current(t)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("%s // the API answers (seed %#x)\n// %s", call, seed, body),
					Got:  rule.Textf("%+v, error %v", got, err),
					Want: rule.Textf("%+v, error nil", want),
				})
			}
		}
	})
}

const address = "api.example:80"

// fakeAPI is an API with a client whose timeout is 3 s.
type fakeAPI struct {
	network  *pipenet.Network
	config   weatherclient.Config
	client   *weatherclient.Client
	requests atomic.Int64
}

// inBubble calls f in a bubble with a fake API.
func inBubble(t *testing.T, handler http.HandlerFunc, f func(*testing.T, *fakeAPI)) {
	t.Helper()
	inFaultyBubble(t, faultnet.Fault{}, handler, f)
}

// inFaultyBubble is inBubble with connections that have a fault.
func inFaultyBubble(t *testing.T, fault faultnet.Fault, handler http.HandlerFunc, f func(*testing.T, *fakeAPI)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		api := &fakeAPI{network: pipenet.New(t)}
		listener, err := api.network.Listen(address)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			api.requests.Add(1)
			handler(w, r)
		})}
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			server.Serve(faultnet.Listen(listener, func(int) faultnet.Fault { return fault }))
		}()
		t.Cleanup(func() { server.Close(); <-stopped })

		api.config = weatherclient.Config{BaseURL: "http://api.example", HTTP: api.network.Client(), Timeout: 3 * time.Second}
		api.configure(t, func(*weatherclient.Config) {})
		f(t, api)
	})
}

// configure replaces the client by one with a changed configuration.
func (api *fakeAPI) configure(t *testing.T, change func(*weatherclient.Config)) {
	t.Helper()
	change(&api.config)
	client, err := weatherclient.New(api.config)
	if err != nil || client == nil {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("c, err := New(Config{BaseURL: %q, HTTP: hc, Timeout: %v * time.Second})", api.config.BaseURL, api.config.Timeout.Seconds()),
			Got:  rule.Textf("c == nil: %v, error %v", client == nil, err),
			Want: rule.Text("a client"),
		})
	}
	api.client = client
}

func (api *fakeAPI) current(t *testing.T) (weatherclient.Observation, error) {
	return api.client.Current(t.Context(), 52.52, 13.405)
}

func (api *fakeAPI) requireRequests(t *testing.T, do string, want int64) {
	t.Helper()
	if got := api.requests.Load(); got != want {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%d requests reached the API", got), Want: rule.Textf("%d", want),
			Why: "The caller decides about another request, because the caller pays for it.",
		})
	}
}

// answer returns a handler that sends this answer. Without a content type there
// is no such header.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil // net/http would guess one
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// current returns an answer with these members of "current".
func current(members string) string {
	return `{"utc_offset_seconds":3600,"timezone":"Europe/Berlin","current":{` + members + `}}`
}

// silent answers after an hour, unless the client has gone.
func silent(w http.ResponseWriter, r *http.Request) {
	if pause(r, time.Hour) {
		answer(200, "application/json", recorded)(w, r)
	}
}

// stalled sends the headers, and the body an hour later.
func stalled(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		http.NewResponseController(w).Flush()
		if pause(r, time.Hour) {
			io.WriteString(w, recorded)
		}
	}
}

// slowly sends the headers, and then one byte of the body a second.
func slowly(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		for i := range recorded {
			io.WriteString(w, recorded[i:i+1])
			http.NewResponseController(w).Flush()
			if !pause(r, time.Second) {
				return
			}
		}
	}
}

// pause reports whether the client was still there for all of d.
func pause(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
		return false
	}
}

// transport is a RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// body notes how far it is read, and whether it is closed.
type body struct {
	r             io.Reader
	n             int
	ended, closed bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += n
	b.ended = b.ended || err == io.EOF
	return n, err
}

func (b *body) Close() error {
	b.closed = true
	return nil
}

// watchedContext counts who waits for its end, which never comes.
type watchedContext struct {
	context.Context
	done    chan struct{}
	waiting atomic.Int64
}

func (c *watchedContext) Done() <-chan struct{} { return c.done }

// AfterFunc is what package context calls for every context that it derives
// from one that is not its own.
func (c *watchedContext) AfterFunc(func()) (stop func() bool) {
	c.waiting.Add(1)
	var stopped atomic.Bool
	return func() bool {
		first := !stopped.Swap(true)
		if first {
			c.waiting.Add(-1)
		}
		return first
	}
}

func fixed(value string) func() string { return func() string { return value } }

var (
	timedOut = []error{weatherclient.ErrTimeout, context.DeadlineExceeded}
	tooLarge = []error{weatherclient.ErrBodyTooLarge}

	// anyPath stands for a *DecodeError with any path.
	anyPath = &weatherclient.DecodeError{Path: "..."}
)

// sentinels are the errors of the package; at most those that are wanted may
// match.
var sentinels = []struct {
	name string
	err  error
}{
	{"ErrCoordinates", weatherclient.ErrCoordinates},
	{"ErrMissingData", weatherclient.ErrMissingData},
	{"ErrBodyTooLarge", weatherclient.ErrBodyTooLarge},
	{"ErrContentType", weatherclient.ErrContentType},
	{"ErrTimeout", weatherclient.ErrTimeout},
}

// requireError demands that err matches all of want and none of the package's
// other errors. In want, an *APIError stands for an equal one and a
// *DecodeError for one with the same path.
func requireError(t *testing.T, do, why string, obs weatherclient.Observation, err error, want ...error) {
	t.Helper()
	ok := err != nil && obs == weatherclient.Observation{}
	var wanted []string
	wantAPI, wantDecode := false, false
	for _, w := range want {
		switch w := w.(type) {
		case *weatherclient.APIError:
			wantAPI = true
			wanted = append(wanted, fmt.Sprintf("*APIError %+v", *w))
			got, found := errors.AsType[*weatherclient.APIError](err)
			ok = ok && found && *got == *w
		case *weatherclient.DecodeError:
			wantDecode = true
			got, found := errors.AsType[*weatherclient.DecodeError](err)
			ok = ok && found && (w == anyPath || got.Path == w.Path)
			if w == anyPath {
				wanted = append(wanted, "*DecodeError")
			} else {
				wanted = append(wanted, fmt.Sprintf("*DecodeError with Path %q", w.Path))
			}
		default:
			wanted = append(wanted, nameOf(w))
			ok = ok && errors.Is(err, w)
		}
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) && !slices.Contains(want, s.err) {
			ok = false
		}
	}
	_, isAPI := errors.AsType[*weatherclient.APIError](err)
	_, isDecode := errors.AsType[*weatherclient.DecodeError](err)
	if !ok || isAPI != wantAPI || isDecode != wantDecode {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%s, %s", show(obs), describe(err)),
			Want: rule.Textf("the zero Observation, an error that matches %s", strings.Join(wanted, " and ")),
			Why:  why,
		})
	}
}

func requireElapsed(t *testing.T, do, why string, start time.Time, want time.Duration, err error) {
	t.Helper()
	if got := time.Since(start); got != want || err == nil {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("error %v after %v", err, got), Want: rule.Textf("an error after %v", want), Why: why,
		})
	}
}

func show(obs weatherclient.Observation) string {
	if obs == (weatherclient.Observation{}) {
		return "the zero Observation"
	}
	return fmt.Sprintf("%+v", obs)
}

// describe names what err matches.
func describe(err error) string {
	if err == nil {
		return "no error"
	}
	var kinds []string
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			kinds = append(kinds, s.name)
		}
	}
	if e, ok := errors.AsType[*weatherclient.APIError](err); ok {
		kinds = append(kinds, fmt.Sprintf("*APIError %+v", *e))
	}
	if e, ok := errors.AsType[*weatherclient.DecodeError](err); ok {
		kinds = append(kinds, fmt.Sprintf("*DecodeError with Path %q", e.Path))
	}
	for _, std := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, syscall.ECONNRESET} {
		if errors.Is(err, std) {
			kinds = append(kinds, nameOf(std))
		}
	}
	if kinds == nil {
		kinds = []string{"none of the errors of the contract"}
	}
	return fmt.Sprintf("error %q, which matches %s", err, strings.Join(kinds, " and "))
}

func nameOf(err error) string {
	for _, s := range sentinels {
		if s.err == err {
			return s.name
		}
	}
	switch err {
	case context.Canceled:
		return "context.Canceled"
	case context.DeadlineExceeded:
		return "context.DeadlineExceeded"
	case io.ErrUnexpectedEOF:
		return "io.ErrUnexpectedEOF"
	case syscall.ECONNRESET:
		return "syscall.ECONNRESET"
	}
	return err.Error()
}
