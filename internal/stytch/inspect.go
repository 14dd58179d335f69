package stytch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/debug"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"
)

// Project is what Stytch says of the project whose credentials it was shown.
type Project struct {
	Name  string
	Ahead time.Duration // Stytch's clock of ours, to a second; less than zero: behind
	Timed bool          // it told the time
}

// InspectProject asks Stytch whose credentials these are. The error is a sentence for an
// operator, with an Advice.
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
	who, err := c.api.Debug.Whoami(ctx, &debug.WhoamiParams{})
	switch {
	case err != nil:
		return Project{}, withAdvice(err)
	case who.ProjectID != o.ProjectID:
		return Project{}, &adviceError{"these credentials are not of the project in STYTCH_PROJECT_ID", keysAdvice}
	}
	return Project{Name: who.Name, Ahead: clock.ahead, Timed: clock.timed}, nil
}

// dateRecorder notes how far the clock at the other end is ahead, by the header of an answer.
type dateRecorder struct {
	http.RoundTripper
	now   func() time.Time
	ahead time.Duration
	timed bool
}

func (d *dateRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	before := d.now()
	res, err := d.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if there, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		const half = 500 * time.Millisecond // the header leaves out what is less than a second
		after := d.now()
		d.ahead, d.timed = there.Add(half).Sub(before.Add(after.Sub(before)/2)), true
	}
	return res, nil
}

// adviceError is an error that an operator can do something about.
type adviceError struct{ text, advice string }

func (t *adviceError) Error() string  { return t.text }
func (t *adviceError) Advice() string { return t.advice }

const elsewhereAdvice = "Look at what is between here and Stytch, and, if it is set, at where STYTCH_BASE_URL leads."

const keysAdvice = "Copy the project id and a secret of it anew from https://stytch.com/dashboard/api-keys; test and live have their own."

// withAdvice puts an error of a call that should not be refused in words. What the network
// says is left as it is.
func withAdvice(err error) error {
	var e stytcherror.Error // by value: a pointer never matches
	var unsent *url.Error
	switch {
	case errors.As(err, &unsent):
		return err
	case !errors.As(err, &e):
		return &adviceError{"what answers is not Stytch, or broke off", elsewhereAdvice}
	}
	said := "Stytch answered " + http.StatusText(int(e.StatusCode))
	if e.ErrorType != "" {
		said = "Stytch answered " + string(e.ErrorType)
	}
	switch {
	case e.StatusCode == http.StatusUnauthorized, e.ErrorType == "project_not_found":
		return &adviceError{"Stytch refuses STYTCH_PROJECT_ID and STYTCH_SECRET", keysAdvice}
	case e.StatusCode >= 500:
		return &adviceError{said, "Nobody can sign in while that is so; https://status.stytch.com may know more."}
	}
	return &adviceError{said, elsewhereAdvice}
}
