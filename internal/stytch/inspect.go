package stytch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/debug"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"

	"github.com/guestlist/guestlist/internal/fault"
)

// Project describes a project at Stytch.
type Project struct {
	Name  string
	Ahead time.Duration // how far Stytch's clock is ahead of ours, within a second; negative if it is behind
	Timed bool          // Ahead is known
}

// InspectProject asks Stytch which project the credentials belong to. The error is a
// *fault.Fault or a network error.
func InspectProject(ctx context.Context, o Options) (Project, error) {
	if o.Transport == nil {
		o.Transport = network()
	}
	clock := &dateRecorder{RoundTripper: o.Transport, now: o.Now}
	o.Transport = clock
	c, err := New(o)
	if err != nil {
		return Project{}, err
	}
	res, err := c.api.Debug.Whoami(ctx, &debug.WhoamiParams{})
	switch {
	case err != nil:
		return Project{}, explain(err)
	case res.ProjectID != o.ProjectID:
		return Project{}, fault.New("these credentials belong to another project than STYTCH_PROJECT_ID", keysAdvice)
	}
	return Project{Name: res.Name, Ahead: clock.ahead, Timed: clock.timed}, nil
}

// dateRecorder measures how far the server's clock is ahead by the Date of its response.
type dateRecorder struct {
	http.RoundTripper
	now   func() time.Time
	ahead time.Duration
	timed bool
}

func (d *dateRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	start := d.now()
	res, err := d.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		const half = 500 * time.Millisecond // the header has whole seconds
		d.ahead = date.Add(half).Sub(start.Add(d.now().Sub(start) / 2))
		d.timed = true
	}
	return res, nil
}

const elsewhereAdvice = "Check the network between this machine and Stytch, and STYTCH_BASE_URL if it's set."

const keysAdvice = "Copy the project ID and secret again from https://stytch.com/dashboard/api-keys; test and live have their own."

// explain returns the error of a call that Stytch should not refuse as a fault. A network
// error stays as it is.
func explain(err error) error {
	var e stytcherror.Error // the SDK returns it by value
	switch {
	case errors.As(err, new(*url.Error)):
		return err
	case !errors.As(err, &e):
		return fault.New("the response isn't from Stytch, or was cut off", elsewhereAdvice)
	}
	text := "Stytch answered " + http.StatusText(int(e.StatusCode))
	if e.ErrorType != "" {
		text = "Stytch answered " + string(e.ErrorType)
	}
	switch {
	case e.StatusCode == http.StatusUnauthorized, e.ErrorType == "project_not_found":
		return fault.New("Stytch rejected STYTCH_PROJECT_ID and STYTCH_SECRET", keysAdvice)
	case e.StatusCode >= 500:
		return fault.New(text, "No one can sign in until it recovers; see https://status.stytch.com.")
	}
	return fault.New(text, elsewhereAdvice)
}
