package weathercli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week04/weathercli"
)

// The tests of Lookup run in synctest bubbles: the clock moves only while all
// goroutines wait, so each age below is exact.

const (
	maxAge   = 10 * time.Minute
	maxStale = 24 * time.Hour

	newService = "s := NewService(f, c, time.Now, 10*time.Minute, 24*time.Hour)\n"
)

var (
	berlin = weathercli.Place{Name: "berlin", Lat: 52.52, Lon: 13.405}
	oslo   = weathercli.Place{Name: "oslo", Lat: 59.91, Lon: 10.75}
	rome   = weathercli.Place{Name: "rome", Lat: 41.9, Lon: 12.5}

	errDown    = fmt.Errorf("dial tcp 192.0.2.1:443: %w", weathercli.ErrUnavailable)
	errUnknown = fmt.Errorf("status 404: %w", weathercli.ErrNotFound)
)

func TestLookup_FreshFromCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		f := forecast(func(context.Context, float64, float64) (weathercli.Observation, error) {
			calls++
			return degrees(float64(calls)), nil
		})
		c := newMemory()
		s := weathercli.NewService(f, c, time.Now, maxAge, maxStale)
		for _, step := range []struct {
			wait      time.Duration
			wantCalls int
		}{
			{0, 1}, {0, 1}, {maxAge - 1, 1}, {1, 2}, {maxAge - 1, 2},
		} {
			<-time.After(step.wait)
			age := "nothing is cached"
			if _, at, ok := c.Load(berlin.Key()); ok {
				age = fmt.Sprintf("the cached observation is %v old", time.Since(at))
			}
			results, err := s.Lookup(t.Context(), []weathercli.Place{berlin})
			want := []weathercli.Result{{Place: berlin, Observation: degrees(float64(step.wantCalls))}}
			requireResults(t, newService+"s.Lookup(ctx, []Place{berlin}) // "+age, "Asking every time spends the quota of the API, and asking too late shows the weather of yesterday.", results, err, want)
			if calls != step.wantCalls {
				rule.Broken(t, rule.Case{
					Do: newService + "s.Lookup(ctx, []Place{berlin}) // " + age, Got: rule.Textf("%d calls of Current by now", calls), Want: rule.Textf("%d", step.wantCalls),
				})
			}
		}
	})

	t.Run("from the future", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newMemory()
			c.Store(berlin.Key(), degrees(-40), time.Now().Add(time.Hour))
			f := always(degrees(8), nil)
			results, err := weathercli.NewService(f, c, time.Now, maxAge, maxStale).Lookup(t.Context(), []weathercli.Place{berlin})
			requireResults(t, newService+"s.Lookup(ctx, []Place{berlin}) // the cached observation was stored in an hour from now",
				"A clock that was wrong for a minute would pin an observation for as long as it was wrong.",
				results, err, []weathercli.Result{{Place: berlin, Observation: degrees(8)}})
		})
	})

	t.Run("not cached", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for _, tc := range []struct {
				do   string
				f    forecast
				want weathercli.Result
			}{
				{"Current succeeds", always(degrees(8), nil), weathercli.Result{Place: berlin, Observation: degrees(8)}},
				{"Current fails with ErrUnavailable", always(weathercli.Observation{}, errDown), weathercli.Result{Place: berlin, Err: errDown}},
			} {
				results, err := weathercli.NewService(tc.f, forgetful{}, time.Now, maxAge, maxStale).Lookup(t.Context(), []weathercli.Place{berlin})
				requireResults(t, newService+"s.Lookup(ctx, []Place{berlin}) // c.Load returns an observation, time.Now() and false; "+tc.do,
					"False means that there is no entry. What else a cache returns then is whatever was lying around.",
					results, err, []weathercli.Result{tc.want})
			}
		})
	})

	t.Run("no places", func(t *testing.T) {
		results, err := weathercli.NewService(always(degrees(8), nil), newMemory(), time.Now, maxAge, maxStale).Lookup(t.Context(), nil)
		requireResults(t, newService+"s.Lookup(ctx, nil)", "", results, err, nil)
	})
}

func TestLookup_StaleIfError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemory()
		s := func(f forecast) *weathercli.Service {
			return weathercli.NewService(f, c, time.Now, maxAge, maxStale)
		}
		stored := time.Now()
		c.Store(berlin.Key(), degrees(7), stored)
		<-time.After(time.Hour)

		const do = newService + "s.Lookup(ctx, []Place{berlin}) // Current fails with ErrUnavailable, the cached observation is 1 h old"
		const why = "An API that is down for a minute must not blank every screen."
		want := []weathercli.Result{{Place: berlin, Observation: degrees(7), Stale: true, Warning: errDown}}
		for range 2 {
			results, err := s(always(weathercli.Observation{}, errDown)).Lookup(t.Context(), []weathercli.Place{berlin})
			requireResults(t, do, why, results, err, want)
			if got, at, ok := c.Load(berlin.Key()); !ok || got != degrees(7) || !at.Equal(stored) {
				rule.Broken(t, rule.Case{
					Do:   do,
					Got:  rule.Textf("the cache has %+v, stored %v ago", got, time.Since(at)),
					Want: rule.Textf("%+v, stored 1h0m0s ago", degrees(7)),
					Why:  "A failure that is cached replaces the last good answer, and an age that is reset makes it look new.",
				})
			}
		}

		results, err := s(always(degrees(9), nil)).Lookup(t.Context(), []weathercli.Place{berlin})
		requireResults(t, newService+"s.Lookup(ctx, []Place{berlin}) // the API is back", "", results, err,
			[]weathercli.Result{{Place: berlin, Observation: degrees(9)}})
	})
}

func TestLookup_TooStaleFails(t *testing.T) {
	for _, tc := range []struct {
		name string
		age  time.Duration
		ok   bool
		want weathercli.Result
	}{
		{"a nanosecond below the limit", maxStale - 1, true, weathercli.Result{Place: berlin, Observation: degrees(7), Stale: true, Warning: errDown}},
		{"at the limit", maxStale, true, weathercli.Result{Place: berlin, Err: errDown}},
		{"from the future", -time.Hour, true, weathercli.Result{Place: berlin, Err: errDown}},
		{"nothing cached", 0, false, weathercli.Result{Place: berlin, Err: errDown}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMemory()
				if tc.ok {
					c.Store(berlin.Key(), degrees(7), time.Now().Add(-tc.age))
				}
				s := weathercli.NewService(always(weathercli.Observation{}, errDown), c, time.Now, maxAge, maxStale)
				results, err := s.Lookup(t.Context(), []weathercli.Place{berlin})
				requireResults(t, fmt.Sprintf("%ss.Lookup(ctx, []Place{berlin}) // Current fails with ErrUnavailable; cached: %v, %v old", newService, tc.ok, tc.age),
					"At some age the old weather is worse than none: nobody salts a road by last week's frost.",
					results, err, []weathercli.Result{tc.want})
			})
		})
	}
}

func TestLookup_OtherErrorsAreNotHidden(t *testing.T) {
	for _, failure := range []error{errUnknown, errors.New("index out of range")} {
		t.Run(failure.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMemory()
				c.Store(berlin.Key(), degrees(7), time.Now().Add(-time.Hour))
				s := weathercli.NewService(always(weathercli.Observation{}, failure), c, time.Now, maxAge, maxStale)
				results, err := s.Lookup(t.Context(), []weathercli.Place{berlin})
				requireResults(t, fmt.Sprintf("%ss.Lookup(ctx, []Place{berlin}) // Current fails with %q, the cached observation is 1 h old", newService, failure),
					"Old data bridges an outage. Behind a mistake it hides the mistake for a day.",
					results, err, []weathercli.Result{{Place: berlin, Err: failure}})
			})
		})
	}
}

func TestLookup_OrderKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var places []weathercli.Place
		var want []weathercli.Result
		for i := range 5 {
			p := weathercli.Place{Name: fmt.Sprintf("p%d", i), Lat: float64(i)}
			places = append(places, p)
			want = append(want, weathercli.Result{Place: p, Observation: degrees(float64(i))})
		}
		f := forecast(func(_ context.Context, lat, _ float64) (weathercli.Observation, error) {
			<-time.After(time.Duration(5-lat) * time.Second) // the first place is the last to answer
			return degrees(lat), nil
		})
		results, err := weathercli.NewService(f, newMemory(), time.Now, maxAge, maxStale).Lookup(t.Context(), places)
		requireResults(t, newService+"s.Lookup(ctx, []Place{p0, p1, p2, p3, p4}) // p0 takes 5 s, p1 4 s and so on",
			"A script reads line 3 for the third place.", results, err, want)
	})
}

func TestLookup_Parallel(t *testing.T) {
	for _, tc := range []struct {
		places    int
		elapsed   time.Duration
		wantAtOne int
	}{
		{5, time.Second, 5}, {8, time.Second, 8}, {20, 3 * time.Second, 8},
	} {
		t.Run(fmt.Sprintf("%d places", tc.places), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				places := make([]weathercli.Place, tc.places)
				for i := range places {
					places[i] = weathercli.Place{Name: "p", Lat: float64(i)}
				}
				var mu sync.Mutex
				running, most := 0, 0
				f := forecast(func(context.Context, float64, float64) (weathercli.Observation, error) {
					mu.Lock()
					running++
					most = max(most, running)
					mu.Unlock()
					<-time.After(time.Second)
					mu.Lock()
					running--
					mu.Unlock()
					return degrees(1), nil
				})
				start := time.Now()
				results, err := weathercli.NewService(f, newMemory(), time.Now, maxAge, maxStale).Lookup(t.Context(), places)
				if got := time.Since(start); got != tc.elapsed || most != tc.wantAtOne || err != nil || len(results) != tc.places {
					rule.Broken(t, rule.Case{
						Do:   fmt.Sprintf("%ss.Lookup(ctx, places) // %d places, each takes 1 s", newService, tc.places),
						Got:  rule.Textf("%d results and error %v after %v, at most %d calls of Current at once", len(results), err, got, most),
						Want: rule.Textf("%d results and error nil after %v, at most %d calls at once", tc.places, tc.elapsed, tc.wantAtOne),
						Why:  "One after the other wastes the user's time, and all at once gets the user's address blocked.",
					})
				}
			})
		})
	}
}

func TestLookup_PartialFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := forecast(func(ctx context.Context, lat, _ float64) (weathercli.Observation, error) {
			switch lat {
			case oslo.Lat:
				return weathercli.Observation{}, errUnknown
			case rome.Lat:
				return weathercli.Observation{}, errDown
			}
			select {
			case <-time.After(time.Second):
				return degrees(8), nil
			case <-ctx.Done():
				return weathercli.Observation{}, ctx.Err()
			}
		})
		hamburg := weathercli.Place{Name: "hamburg", Lat: 53.55, Lon: 10}
		s := weathercli.NewService(f, newMemory(), time.Now, maxAge, maxStale)
		results, err := s.Lookup(t.Context(), []weathercli.Place{berlin, oslo, rome, hamburg})
		requireResults(t, newService+"s.Lookup(ctx, []Place{berlin, oslo, rome, hamburg}) // oslo and rome fail at once, the others answer after 1 s",
			"Three good answers are worth printing when the fourth place has a typo. And all errors at once save the user three runs.",
			results, err, []weathercli.Result{
				{Place: berlin, Observation: degrees(8)},
				{Place: oslo, Err: errUnknown},
				{Place: rome, Err: errDown},
				{Place: hamburg, Observation: degrees(8)},
			})
	})
}

func TestLookup_CacheFailureIsAWarning(t *testing.T) {
	errFull := errors.New("no space left on device")
	synctest.Test(t, func(t *testing.T) {
		c := newMemory()
		c.fail = errFull
		results, err := weathercli.NewService(always(degrees(8), nil), c, time.Now, maxAge, maxStale).Lookup(t.Context(), []weathercli.Place{berlin})
		requireResults(t, newService+"s.Lookup(ctx, []Place{berlin}) // Store fails",
			"The answer is there. A full disk is no reason to keep it back, and no reason to say nothing either.",
			results, err, []weathercli.Result{{Place: berlin, Observation: degrees(8), Warning: errFull}})
	})
}

func TestCache_RoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet")
	at := time.Date(2026, 3, 26, 16, 20, 30, 123456789, time.FixedZone("", 3600))
	const first = "c := NewFileCache(dir) // dir does not exist\n"
	if _, _, ok := weathercli.NewFileCache(dir).Load("berlin"); ok {
		rule.Broken(t, rule.Case{Do: first + `c.Load("berlin")`, Got: rule.Text("true"), Want: rule.Text("false")})
	}
	for i, key := range []string{"berlin", "oslo", "berlin"} {
		store(t, weathercli.NewFileCache(dir), key, degrees(float64(i)), at.Add(time.Duration(i)))
	}
	for key, i := range map[string]int{"oslo": 1, "berlin": 2} {
		got, when, ok := weathercli.NewFileCache(dir).Load(key) // a new process
		want := degrees(float64(i))
		_, offset := got.At.Zone()
		if !ok || !cmp.Equal(want, got) || offset != 3600 || !when.Equal(at.Add(time.Duration(i))) {
			rule.Broken(t, rule.Case{
				Do:   first + fmt.Sprintf("c.Store(%q, o, at)\nNewFileCache(dir).Load(%q)", key, key),
				Got:  rule.Textf("%+v, %v, %v", got, when, ok),
				Want: rule.Textf("%+v, %v, true", want, at.Add(time.Duration(i))),
				Why:  "A user in another time zone reads the local time of the place, from the cache too.",
			})
		}
	}
}

func TestCache_FileAtomic(t *testing.T) {
	old, fresh := degrees(7), degrees(9)
	at := time.Date(2026, 3, 26, 15, 20, 0, 0, time.UTC)
	const stores = "c := NewFileCache(dir)\nc.Store(key, old, at)\n"

	t.Run("the old file is never written again", func(t *testing.T) {
		outside := t.TempDir()
		dir := filepath.Join(outside, "cache")
		c := weathercli.NewFileCache(dir)
		store(t, c, "berlin", old, at)
		file := onlyFile(t, dir, "c := NewFileCache(dir)\nc.Store(key, old, at)")
		// A second name for the old file shows what a process sees that has it
		// open, and what is left when Store is killed at its worst moment.
		link := filepath.Join(outside, "link")
		if err := os.Link(file, link); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(link)
		if err != nil {
			t.Fatal(err)
		}
		store(t, c, "berlin", fresh, at)
		after, err := os.ReadFile(link)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) {
			rule.Broken(t, rule.Case{
				Do:   stores + "os.Link(file, link) // a second name of the file of key\nc.Store(key, fresh, at)\nos.ReadFile(link)",
				Got:  after,
				Want: before,
				Why:  "A file that is overwritten in place is empty for a moment, then half. Who is killed in that moment leaves it so, and who reads in it gets half an entry.",
			})
		}
		onlyFile(t, dir, stores+"c.Store(key, fresh, at)")
		requireLoads(t, dir, "berlin", fresh, stores+"c.Store(key, fresh, at)\nc.Load(key)")
	})

	t.Run("disk full", func(t *testing.T) {
		dir := t.TempDir()
		c := weathercli.NewFileCache(dir)
		store(t, c, "berlin", old, at)
		var err error
		withFullDisk(t, 8, func() { err = c.Store("berlin", fresh, at) })
		const do = stores + "err := c.Store(key, fresh, at) // the disk is full after 8 bytes"
		if err == nil {
			rule.Broken(t, rule.Case{Do: do, Got: nil, Want: rule.Text("an error"), Why: "Somebody has to learn that the disk is full."})
		}
		requireLoads(t, dir, "berlin", old, do+"\nc.Load(key)")
		onlyFile(t, dir, do)
	})

	t.Run("rename works", func(t *testing.T) {
		dir := t.TempDir()
		t.Setenv("TMPDIR", filepath.Join(dir, "another", "file", "system"))
		if err := weathercli.NewFileCache(dir).Store("berlin", old, at); err != nil {
			rule.Broken(t, rule.Case{
				Do:   "c := NewFileCache(dir)\nc.Store(key, old, at) // TMPDIR does not exist",
				Got:  err,
				Want: nil,
				Why:  "A rename cannot cross file systems, and /tmp often is one of its own. The temporary file belongs into the directory of the cache.",
			})
		}
		requireLoads(t, dir, "berlin", old, stores+"c.Load(key)")
	})
}

func TestCache_FailedStoreSaysSo(t *testing.T) {
	old, fresh := degrees(7), degrees(9)
	at := time.Date(2026, 3, 26, 15, 20, 0, 0, time.UTC)
	const why = "An error that is swallowed here is a cache that has stopped, and the next outage shows it."

	t.Run("a file is in the way of the directory", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "cache")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := weathercli.NewFileCache(filepath.Join(file, "weather")).Store("berlin", fresh, at); err == nil {
			rule.Broken(t, rule.Case{
				Do:   "os.WriteFile(\"cache\", nil, 0o600)\nerr := NewFileCache(\"cache/weather\").Store(key, fresh, at)",
				Got:  nil,
				Want: rule.Text("an error"),
				Why:  why,
			})
		}
	})

	t.Run("no more files can be opened", func(t *testing.T) {
		dir := t.TempDir()
		c := weathercli.NewFileCache(dir)
		store(t, c, "berlin", old, at)
		var err error
		withFewFiles(t, 0, func() { err = c.Store("berlin", fresh, at) })
		const do = "c := NewFileCache(dir)\nc.Store(key, old, at)\nerr := c.Store(key, fresh, at) // the process has as many files open as it may"
		if err == nil {
			rule.Broken(t, rule.Case{Do: do, Got: nil, Want: rule.Text("an error"), Why: why})
		}
		requireLoads(t, dir, "berlin", old, do+"\nc.Load(key)")
		onlyFile(t, dir, do)
	})

	t.Run("a temperature that is no number", func(t *testing.T) {
		dir := t.TempDir()
		c := weathercli.NewFileCache(dir)
		store(t, c, "berlin", old, at)
		err := c.Store("berlin", degrees(math.NaN()), at)
		const do = "c := NewFileCache(dir)\nc.Store(key, old, at)\nerr := c.Store(key, Observation{TemperatureC: math.NaN()}, at)"
		if err != nil { // as encoding/json has no way to write it
			requireLoads(t, dir, "berlin", old, do+"\nc.Load(key)")
			onlyFile(t, dir, do)
			return
		}
		if got, _, ok := c.Load("berlin"); !ok || !math.IsNaN(got.TemperatureC) {
			rule.Broken(t, rule.Case{
				Do:   do + "\nc.Load(key)",
				Got:  rule.Textf("err == nil, and %+v, %v", got, ok),
				Want: rule.Text("an error, or the observation that was stored"),
				Why:  why,
			})
		}
	})
}

func TestCache_ClosesItsFiles(t *testing.T) {
	c := weathercli.NewFileCache(t.TempDir())
	at := time.Date(2026, 3, 26, 15, 20, 0, 0, time.UTC)
	store(t, c, "berlin", degrees(7), at)

	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the collector closes what was forgotten, at some time
	const limit, rounds = 100, 150
	var err error
	stored, loaded := 0, 0
	withFewFiles(t, limit, func() {
		for stored < rounds && err == nil {
			if err = c.Store("berlin", degrees(7), at); err == nil {
				stored++
			}
			if _, _, ok := c.Load("berlin"); ok {
				loaded++
			}
		}
	})
	if stored != rounds || loaded != rounds {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("for range %d { // in a process that may have %d files open\n\tc.Store(key, o, at)\n\tc.Load(key)\n}", rounds, limit),
			Got:  rule.Textf("%d stored, %d loaded, then error %v", stored, loaded, err),
			Want: rule.Textf("%d stored, %d loaded", rounds, rounds),
			Why:  "An os.File that nobody closes stays open until the garbage collector finds it, and so does its disk space.",
		})
	}
}

func TestCache_CorruptFileIgnored(t *testing.T) {
	at := time.Date(2026, 3, 26, 15, 20, 0, 0, time.UTC)
	dir := t.TempDir()
	c := weathercli.NewFileCache(dir)
	store(t, c, "berlin", degrees(7), at)
	file := onlyFile(t, dir, "c := NewFileCache(dir)\nc.Store(key, v, at)")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	corrupt := map[string]string{
		"no JSON": "\x00\x00\x00\x00", "empty object": "{}", "null": "null", "array": "[]", "another object": `{"name":"x"}`, "HTML": "<html>",
	}
	corrupt["a text for the wind"] = strings.Replace(string(whole), "14.3", `"calm"`, 1)
	for n := range whole {
		corrupt[fmt.Sprintf("the first %d bytes of %d", n, len(whole))] = string(whole[:n])
	}
	for name, content := range corrupt {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, when, ok := c.Load("berlin")
		intact := cmp.Equal(got, degrees(7)) && when.Equal(at) && (strings.HasPrefix(name, "the first") || content == string(whole)) // only white space was cut, or nothing was changed
		if ok && !intact {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("os.WriteFile(file, []byte(%q), 0o600) // %s\nc.Load(key)", content, name),
				Got:  rule.Textf("%+v, %v, true", got, when),
				Want: rule.Text("false"),
				Why:  "Files get damaged. A damaged file that reads as 0 °C is worse than none.",
			})
		}
	}
	store(t, c, "berlin", degrees(9), at)
	requireLoads(t, dir, "berlin", degrees(9), "// the file of key is damaged\nc.Store(key, o, at)\nc.Load(key)")

	dir = t.TempDir()
	c = weathercli.NewFileCache(dir)
	store(t, c, "", degrees(7), at)
	file = onlyFile(t, dir, "c := NewFileCache(dir)\nc.Store(\"\", v, at)")
	for _, content := range []string{"{}", "null", ""} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, when, ok := c.Load(""); ok {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("os.WriteFile(file, []byte(%q), 0o600) // the file of the key \"\"\nc.Load(\"\")", content),
				Got:  rule.Textf("%+v, %v, true", got, when),
				Want: rule.Text("false"),
				Why:  "An empty key that equals an empty entry proves nothing.",
			})
		}
	}
}

func TestCache_AnyKey(t *testing.T) {
	keys := []string{
		"", ".", "..", "../outside", "/absolute", "a/b", "a", "A", "a b", "a\x00b", "ключ",
		strings.Repeat("k", 1000), strings.Repeat("k", 1001), "key.tmp", "52.52,13.405",
	}
	parent := t.TempDir()
	dir := filepath.Join(parent, "cache")
	c := weathercli.NewFileCache(dir)
	at := time.Date(2026, 3, 26, 15, 20, 0, 0, time.UTC)
	for i, key := range keys {
		store(t, c, key, degrees(float64(i)), at)
	}
	for i, key := range keys {
		requireLoads(t, dir, key, degrees(float64(i)), fmt.Sprintf("c.Store(%q, o, at)\n// and %d more keys\nc.Load(%q)", key, len(keys)-1, key))
	}
	if got := names(t, parent); !slices.Equal(got, []string{"cache"}) {
		rule.Broken(t, rule.Case{
			Do:   fmt.Sprintf("c := NewFileCache(\"cache\")\nc.Store(key, o, at) // with each of %.60q...", keys),
			Got:  rule.Textf("beside the directory: %q", got),
			Want: rule.Text(`only "cache"`),
			Why:  "A key that becomes a path writes wherever its author likes.",
		})
	}
}

func TestMain_ExitCodes(t *testing.T) {
	api := newAPI(t)
	for _, tc := range []struct {
		name string
		args []string
		want int
	}{
		{"all places", []string{"berlin=52.52,13.405", "oslo=59.91,10.75"}, 0},
		{"help", []string{"-h"}, 0},
		{"unknown flag", []string{"-colour", "berlin=52.52,13.405"}, 2},
		{"flag that is no duration", []string{"-timeout", "soon", "berlin=52.52,13.405"}, 2},
		{"no time", []string{"-timeout", "0s", "berlin=52.52,13.405"}, 2},
		{"negative age", []string{"-max-age", "-1s", "berlin=52.52,13.405"}, 2},
		{"negative stale age", []string{"-max-stale", "-1s", "berlin=52.52,13.405"}, 2},
		{"no place", nil, 2},
		{"no name", []string{"=52.52,13.405"}, 2},
		{"no coordinates", []string{"berlin"}, 2},
		{"one coordinate", []string{"berlin=52.52"}, 2},
		{"three coordinates", []string{"berlin=52.52,13.405,34"}, 2},
		{"latitude out of range", []string{"berlin=90.1,13.405"}, 2},
		{"longitude out of range", []string{"berlin=52.52,-180.1"}, 2},
		{"not a number", []string{"berlin=NaN,13.405"}, 2},
		{"a word for a latitude", []string{"berlin=north,13.405"}, 2},
		{"a word for a longitude", []string{"berlin=52.52,east"}, 2},
		{"the ends of the earth", []string{"north=90,180", "south=-90,-180"}, 0},
		{"one wrong place of two", []string{"berlin=52.52,13.405", "oslo"}, 2},
		{"wrong URL", []string{"-url", "ftp://api.example", "berlin=52.52,13.405"}, 2},
		{"no cache directory", []string{"-cache", "", "berlin=52.52,13.405"}, 2},
		{"unknown place", []string{"nowhere=-1,0"}, 3},
		{"unknown places", []string{"nowhere=-1,0", "north=-1,1"}, 3},
		{"API down", []string{"dead=-2,0"}, 4},
		{"API down, and the smallest timeout", []string{"-timeout", "1ns", "dead=-2,0"}, 4},
		{"nobody listens", []string{"-url", "http://127.0.0.1:1", "berlin=52.52,13.405"}, 4},
		{"one unknown, one down", []string{"nowhere=-1,0", "dead=-2,0"}, 4},
		{"one found, one unknown", []string{"nowhere=-1,0", "berlin=52.52,13.405"}, 5},
		{"one found, one down", []string{"berlin=52.52,13.405", "dead=-2,0"}, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api.requests.Store(0)
			args := append([]string{"-url", api.URL, "-cache", t.TempDir()}, tc.args...)
			do := callMain(args)
			got, returned := mainInChild(t, args)
			if !returned {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Text("the process ended inside Main"), Want: rule.Textf("Main returns %d", tc.want),
					Why: "Who ends the process deep inside skips every deferred clean-up, and cannot be tested without a process.",
				})
			}
			if got.Code != tc.want {
				rule.Broken(t, rule.Case{
					Do: do, Got: rule.Textf("%d, stderr %q", got.Code, got.Stderr), Want: rule.Textf("%d", tc.want),
					Why: "A script that runs the command has nothing but the exit code to decide by.",
				})
			}
			if n := api.requests.Load(); tc.want == 2 && n > 0 {
				rule.Broken(t, rule.Case{Do: do, Got: rule.Textf("%d requests to the API", n), Want: rule.Text("none"), Why: "A command line is checked as a whole before anything happens."})
			}
		})
	}
}

func TestMain_StdoutIsOnlyData(t *testing.T) {
	api := newAPI(t)
	const (
		text     = "berlin: 52.5 °C, wind 14.3 km/h, code 61, 2026-03-26 16:15 +01:00\n"
		textOslo = "oslo: 59.9 °C, wind 14.3 km/h, code 61, 2026-03-26 16:15 +01:00\n"
		object   = `{"place":"berlin","at":"2026-03-26T16:15:00+01:00","temperature_c":52.52,"wind_kmh":14.3,"code":61,"stale":false}` + "\n"
		why      = "The output goes into a pipe. A warning between the lines breaks whatever reads them, and a message on stdout is lost."
	)
	for _, tc := range []struct {
		name       string
		args       []string
		wantStdout string
		wantStderr string // a part of it; empty: nothing at all
	}{
		{"one place", []string{"berlin=52.52,13.405"}, text, ""},
		{"places in order", []string{"oslo=59.91,10.75", "berlin=52.52,13.405"}, textOslo + text, ""},
		{"one fails", []string{"berlin=52.52,13.405", "nowhere=-1,0", "oslo=59.91,10.75"}, text + textOslo, "nowhere"},
		{"all fail", []string{"nowhere=-1,0"}, "", "nowhere"},
		{"wrong place", []string{"berlin=52.52"}, "", "berlin=52.52"},
		{"wrong flag", []string{"-colour"}, "", "colour"},
		{"help", []string{"-h"}, "", "max-stale"},
		{"help on places", []string{"-h"}, "", "NAME=LATITUDE,LONGITUDE"},
		{"JSON", []string{"-json", "berlin=52.52,13.405"}, object, ""},
		{"JSON, one fails", []string{"-json", "nowhere=-1,0", "berlin=52.52,13.405"}, object, "nowhere"},
		{"JSON, all fail", []string{"-json", "nowhere=-1,0"}, "", "nowhere"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append([]string{"-url", api.URL, "-cache", t.TempDir()}, tc.args...)
			got, returned := mainInChild(t, args)
			if strings.HasPrefix(tc.name, "JSON") {
				got.Stdout = canonical(got.Stdout)
			}
			wantStdout := tc.wantStdout
			if strings.HasPrefix(tc.name, "JSON") {
				wantStdout = canonical(wantStdout)
			}
			if !returned || got.Stdout != wantStdout || !strings.Contains(got.Stderr, tc.wantStderr) || (tc.wantStderr == "" && got.Stderr != "") {
				wantStderr := fmt.Sprintf("something about %s on stderr", tc.wantStderr)
				if tc.wantStderr == "" {
					wantStderr = "nothing on stderr"
				}
				rule.Broken(t, rule.Case{
					Do:   callMain(args),
					Got:  rule.Textf("returned %v\nstdout %q\nstderr %q", returned, got.Stdout, got.Stderr),
					Want: rule.Textf("stdout %q, %s", wantStdout, wantStderr),
					Why:  why,
				})
			}
		})
	}
}

func TestMain_TimeoutFlag(t *testing.T) {
	const why = "A command without a limit hangs in a cron job until there are hundreds of it."
	api := newAPI(t)
	dir := t.TempDir()
	slow := "slow=-3,0"
	args := []string{"-url", api.URL, "-cache", dir, "-max-age", "0s", "-timeout", "100ms", slow}
	do := callMain(args)

	got := runMain(args, nil)
	if got.Code != 4 || got.Stdout != "" || !strings.Contains(got.Stderr, "slow") {
		rule.Broken(t, rule.Case{
			Do: do + " // the API answers after 3 s", Got: rule.Text(got.String()), Want: rule.Text("exit code 4, nothing on stdout, a message about slow on stderr"), Why: why,
		})
	}

	api.fast.Store(true)
	patient := []string{"-url", api.URL, "-cache", dir, slow} // a busy machine may take longer than 100 ms
	if got := runMain(patient, nil); got.Code != 0 {
		rule.Broken(t, rule.Case{
			Do: callMain(patient) + " // the API answers at once", Got: rule.Text(got.String()), Want: rule.Text("exit code 0"),
		})
	}
	api.fast.Store(false)
	want := "slow: -3.0 °C, wind 14.3 km/h, code 61, 2026-03-26 16:15 +01:00 (stale)\n"
	if got := runMain(args, nil); got.Code != 0 || got.Stdout != want {
		rule.Broken(t, rule.Case{
			Do:   do + " // the API answers after 3 s, and answered at once a moment ago",
			Got:  rule.Text(got.String()),
			Want: rule.Textf("exit code 0, stdout %q", want),
			Why:  "A timeout is an outage like any other: the cache bridges it.",
		})
	}
}

func TestMain_Cache(t *testing.T) {
	api := newAPI(t)
	env := map[string]string{"WEATHER_URL": api.URL, "WEATHER_CACHE": filepath.Join(t.TempDir(), "weather")}
	const fresh = "berlin: 52.5 °C, wind 14.3 km/h, code 61, 2026-03-26 16:15 +01:00\n"
	const place = "berlin=52.52,13.405"
	for _, step := range []struct {
		name       string
		args       []string
		down       bool
		requests   int64
		code       int
		wantStdout string
		wantStderr string
	}{
		{"first run", []string{place}, false, 1, 0, fresh, ""},
		{"again", []string{place}, false, 0, 0, fresh, ""},
		{"again, and the API is down", []string{place}, true, 0, 0, fresh, ""},
		{"under another name", []string{"home=52.52,13.405"}, true, 0, 0, strings.Replace(fresh, "berlin", "home", 1), ""},
		{"-max-age 0", []string{"-max-age", "0s", place}, false, 1, 0, fresh, ""},
		{"-max-age 0, and the API is down", []string{"-max-age", "0s", place}, true, 1, 0, strings.Replace(fresh, "\n", " (stale)\n", 1), "berlin"},
		{"-max-stale 0, and the API is down", []string{"-max-age", "0s", "-max-stale", "0s", place}, true, 1, 4, "", "berlin"},
		{"flag before variable", []string{"-cache", t.TempDir(), "-url", "http://127.0.0.1:1", place}, false, 0, 4, "", "berlin"},
	} {
		api.requests.Store(0)
		api.down.Store(step.down)
		got := runMain(step.args, env)
		if got.Code != step.code || got.Stdout != step.wantStdout || api.requests.Load() != step.requests || !strings.Contains(got.Stderr, step.wantStderr) || (step.wantStderr == "" && got.Stderr != "") {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("// %s; WEATHER_URL and WEATHER_CACHE are set\nMain(%#v, env, stdout, stderr)", step.name, step.args),
				Got:  rule.Textf("%+v, %d requests", got, api.requests.Load()),
				Want: rule.Textf("exit code %d, stdout %q, %d requests, on stderr %q", step.code, step.wantStdout, step.requests, step.wantStderr),
				Why:  "The cache is what makes the command fast, and what makes it answer during an outage.",
			})
		}
	}
}

func TestMain_StdoutFails(t *testing.T) {
	api := newAPI(t)
	args := []string{"-url", api.URL, "-cache", t.TempDir(), "berlin=52.52,13.405"}
	var stderr bytes.Buffer
	code := weathercli.Main(args, func(string) string { return "" }, fullDevice{}, &stderr)
	if code != 1 || stderr.Len() == 0 {
		rule.Broken(t, rule.Case{
			Do:   callMain(args) + " // stdout is full",
			Got:  rule.Textf("%d, stderr %q", code, stderr.String()),
			Want: rule.Text("1, and a message on stderr"),
			Why:  "weather > report.txt on a full disk must not report success.",
		})
	}
}

// forecast is a Forecaster.
type forecast func(ctx context.Context, lat, lon float64) (weathercli.Observation, error)

func (f forecast) Current(ctx context.Context, lat, lon float64) (weathercli.Observation, error) {
	return f(ctx, lat, lon)
}

func always(o weathercli.Observation, err error) forecast {
	return func(context.Context, float64, float64) (weathercli.Observation, error) { return o, err }
}

// memory is a Cache.
type memory struct {
	mu      sync.Mutex
	entries map[string]memoryEntry
	fail    error
}

type memoryEntry struct {
	o  weathercli.Observation
	at time.Time
}

func newMemory() *memory { return &memory{entries: map[string]memoryEntry{}} }

func (m *memory) Load(key string) (weathercli.Observation, time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	return e.o, e.at, ok
}

func (m *memory) Store(key string, o weathercli.Observation, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.entries[key] = memoryEntry{o, at}
	return nil
}

// forgetful is a Cache that has nothing, and garbage to go with it.
type forgetful struct{}

func (forgetful) Load(string) (weathercli.Observation, time.Time, bool) {
	return degrees(-40), time.Now(), false
}

func (forgetful) Store(string, weathercli.Observation, time.Time) error { return nil }

var cet = time.FixedZone("", 3600)

// degrees returns an observation that is recognised by its temperature.
func degrees(c float64) weathercli.Observation {
	return weathercli.Observation{At: time.Date(2026, 3, 26, 16, 15, 0, 0, cet), TemperatureC: c, WindKmh: 14.3, Code: 61}
}

// requireResults compares results and the error of Lookup with want. An error
// in want is one that has to match.
func requireResults(t *testing.T, do, why string, got []weathercli.Result, err error, want []weathercli.Result) {
	t.Helper()
	ok, failed := len(got) == len(want), false
	for i, w := range want {
		if w.Err != nil {
			failed = true
			ok = ok && errors.Is(err, w.Err)
		}
		if ok {
			g := got[i]
			ok = g.Place == w.Place && cmp.Equal(g.Observation, w.Observation) && g.Stale == w.Stale &&
				matches(g.Warning, w.Warning) && matches(g.Err, w.Err)
		}
	}
	wantErr := "error nil"
	if failed {
		wantErr = "an error that matches every Err"
	}
	if !ok || failed != (err != nil) {
		rule.Broken(t, rule.Case{
			Do:   do,
			Got:  rule.Textf("%s\nerror %v", list(got), err),
			Want: rule.Textf("%s\n%s", list(want), wantErr),
			Why:  why,
		})
	}
}

func matches(got, want error) bool {
	if want == nil {
		return got == nil
	}
	return errors.Is(got, want)
}

func list(results []weathercli.Result) string {
	if len(results) == 0 {
		return "no results"
	}
	var lines []string
	for _, r := range results {
		o := "no observation"
		if r.Observation != (weathercli.Observation{}) {
			o = fmt.Sprintf("%v °C", r.Observation.TemperatureC)
		}
		lines = append(lines, fmt.Sprintf("%s: %s, Stale %v, Warning %v, Err %v", r.Place.Name, o, r.Stale, r.Warning, r.Err))
	}
	return strings.Join(lines, "\n")
}

func store(t *testing.T, c *weathercli.FileCache, key string, o weathercli.Observation, at time.Time) {
	t.Helper()
	if err := c.Store(key, o, at); err != nil {
		rule.Broken(t, rule.Case{Do: fmt.Sprintf("c := NewFileCache(dir)\nc.Store(%.40q, o, at)", key), Got: err, Want: nil})
	}
}

func requireLoads(t *testing.T, dir, key string, want weathercli.Observation, do string) {
	t.Helper()
	if got, _, ok := weathercli.NewFileCache(dir).Load(key); !ok || !cmp.Equal(got, want) {
		rule.Broken(t, rule.Case{
			Do: do, Got: rule.Textf("%+v, %v", got, ok), Want: rule.Textf("%+v, true", want),
			Why: "The last good answer is what the command shows when the API is down.",
		})
	}
}

// onlyFile returns the path of the only file in dir, after do.
func onlyFile(t *testing.T, dir, do string) string {
	t.Helper()
	files := names(t, dir)
	if len(files) != 1 {
		rule.Broken(t, rule.Case{
			Do: do + "\nos.ReadDir(dir)", Got: rule.Textf("the files %q", files), Want: rule.Text("one file, the entry of key"),
			Why: "A temporary file stays until somebody removes it. Each Store that fails leaves one, and they fill the disk for good.",
		})
	}
	return filepath.Join(dir, files[0])
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// fakeAPI is shaped like Open-Meteo. The latitude decides what it answers: -1
// is unknown, at -2 the API is down, -3 is slow. Elsewhere the temperature is
// the latitude.
type fakeAPI struct {
	*httptest.Server
	requests   atomic.Int64
	down, fast atomic.Bool
}

func newAPI(t *testing.T) *fakeAPI {
	api := new(fakeAPI)
	api.Server = httptest.NewServer(api)
	t.Cleanup(api.Close)
	return api
}

func (api *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	api.requests.Add(1)
	lat := r.FormValue("latitude")
	switch {
	case r.URL.Path != "/v1/forecast":
		http.Error(w, "no such path", http.StatusBadRequest)
		return
	case lat == "-1":
		http.Error(w, "no data", http.StatusNotFound)
		return
	case lat == "-2" || api.down.Load():
		http.Error(w, "maintenance", http.StatusServiceUnavailable)
		return
	case lat == "-3" && !api.fast.Load():
		select {
		case <-time.After(3 * time.Second): // only if nobody gives up
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"utc_offset_seconds":3600,"current":{"time":"2026-03-26T16:15","temperature_2m":%s,"wind_speed_10m":14.3,"weather_code":61}}`, lat)
}

// run is what a run of Main gave.
type run struct {
	Code           int
	Stdout, Stderr string
}

func (r run) String() string {
	return fmt.Sprintf("exit code %d\nstdout %q\nstderr %q", r.Code, r.Stdout, r.Stderr)
}

// callMain is a call of Main as a student would write it. The address and the
// directory of the test, which args begin with, are another one in every run.
func callMain(args []string) string {
	return fmt.Sprintf("args := []string{\"-url\", api.URL, \"-cache\", dir}\nMain(append(args, %s), env, stdout, stderr)", quoted(args[4:]))
}

func quoted(args []string) string {
	q := make([]string, len(args))
	for i, arg := range args {
		q[i] = strconv.Quote(arg)
	}
	return strings.Join(q, ", ")
}

func runMain(args []string, env map[string]string) run {
	var stdout, stderr bytes.Buffer
	code := weathercli.Main(args, func(key string) string { return env[key] }, &stdout, &stderr)
	return run{code, stdout.String(), stderr.String()}
}

const childArgs = "WEATHERCLI_TEST_ARGS"

// A process with the variable childArgs is a child of a test: it runs Main.
func init() {
	encoded, ok := os.LookupEnv(childArgs)
	if !ok {
		return
	}
	var args []string
	if err := json.Unmarshal([]byte(encoded), &args); err != nil {
		panic(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(runMain(args, nil)); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// mainInChild runs Main in a process of its own. It reports whether Main
// returned.
func mainInChild(t *testing.T, args []string) (run, bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childArgs+"="+string(encoded), "GORACE=atexit_sleep_ms=0")
	out, err := cmd.Output()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	var result run
	returned := json.Unmarshal(out, &result) == nil
	return result, returned
}

// canonical returns lines of JSON with sorted members, or what is wrong.
func canonical(lines string) string {
	var out strings.Builder
	for line := range strings.Lines(lines) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			return fmt.Sprintf("not one JSON object a line: %s", lines)
		}
		sorted, err := json.Marshal(object)
		if err != nil {
			return err.Error()
		}
		out.Write(append(sorted, '\n'))
	}
	return out.String()
}

type fullDevice struct{}

func (fullDevice) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }
