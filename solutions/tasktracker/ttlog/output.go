//course:since m01b

package ttlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// write writes r in one piece, so that an error leaves no half of it behind
// that looks like all.
func (cfg config) write(w io.Writer, r *report) error {
	var out bytes.Buffer
	if cfg.json {
		if err := writeJSON(&out, r, cfg.top); err != nil {
			return err
		}
	} else {
		writeText(&out, r, cfg.top)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func writeJSON(w io.Writer, r *report, top int) error {
	return json.NewEncoder(w).Encode(struct {
		Requests int64    `json:"requests"`
		Bad      int64    `json:"bad"`
		Bytes    int64    `json:"bytes"`
		Classes  [6]int64 `json:"classes"`
		P50      int64    `json:"p50_ns"`
		P99      int64    `json:"p99_ns"`
		Top      []count  `json:"top"`
	}{
		r.requests, r.bad, r.bytes, r.classes,
		int64(r.durations.quantile(50)), int64(r.durations.quantile(99)), r.paths.top(top),
	})
}

func writeText(w io.Writer, r *report, top int) {
	c := r.classes
	fmt.Fprintf(w, "requests %d, bad %d, bytes %d\n", r.requests, r.bad, r.bytes)
	fmt.Fprintf(w, "1xx %d, 2xx %d, 3xx %d, 4xx %d, 5xx %d, other %d\n", c[1], c[2], c[3], c[4], c[5], c[0])
	fmt.Fprintf(w, "p50 %v, p99 %v\n", r.durations.quantile(50), r.durations.quantile(99))
	for _, c := range r.paths.top(top) {
		n := strconv.FormatInt(c.N, 10)
		if c.Err > 0 {
			n = fmt.Sprintf("%d..%d", c.N-c.Err, c.N)
		}
		fmt.Fprintf(w, "%s\t%+q\n", n, c.Path)
	}
}
