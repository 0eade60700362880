package weathercli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// OpenMeteo is the Forecaster that asks an API shaped like that of Open-Meteo.
// It is the only code of the package that knows HTTP, and turns statuses and
// network errors into ErrNotFound and ErrUnavailable. It has no timeout: that
// is up to the context.
type OpenMeteo struct {
	endpoint *url.URL
	client   *http.Client
}

// NewOpenMeteo returns a client of the API at baseURL, an absolute http or https
// URL.
func NewOpenMeteo(baseURL string) (*OpenMeteo, error) {
	base, err := url.Parse(baseURL)
	if err != nil {
		return nil, err
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("%q is not an http or https URL", baseURL)
	}
	// The command ends soon, so a connection that stays open is of no use.
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	return &OpenMeteo{endpoint: base.JoinPath("v1/forecast"), client: client}, nil
}

// Current implements Forecaster.
func (m *OpenMeteo) Current(ctx context.Context, lat, lon float64) (Observation, error) {
	u := *m.endpoint
	u.RawQuery = url.Values{
		"latitude":  {strconv.FormatFloat(lat, 'f', -1, 64)},
		"longitude": {strconv.FormatFloat(lon, 'f', -1, 64)},
		"current":   {"temperature_2m,wind_speed_10m,weather_code"},
		"timezone":  {"auto"},
	}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return Observation{}, err
	}
	resp, err := m.client.Do(req)
	if err != nil {
		return Observation{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return Observation{}, ErrNotFound
	default:
		return Observation{}, fmt.Errorf("%w: %s", ErrUnavailable, resp.Status)
	}
	observation, err := decodeOpenMeteo(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return Observation{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return observation, nil
}

func decodeOpenMeteo(body io.Reader) (Observation, error) {
	var answer struct {
		UTCOffset int `json:"utc_offset_seconds"`
		Current   *struct {
			Time        string   `json:"time"`
			Temperature *float64 `json:"temperature_2m"`
			Wind        *float64 `json:"wind_speed_10m"`
			Code        *int     `json:"weather_code"`
		} `json:"current"`
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return Observation{}, err
	}
	now := answer.Current
	if now == nil || now.Temperature == nil || now.Wind == nil || now.Code == nil {
		return Observation{}, errors.New("the answer has no observation")
	}
	at, err := time.ParseInLocation("2006-01-02T15:04", now.Time, time.FixedZone("", answer.UTCOffset))
	if err != nil {
		return Observation{}, err
	}
	return Observation{At: at, TemperatureC: *now.Temperature, WindKmh: *now.Wind, Code: *now.Code}, nil
}
