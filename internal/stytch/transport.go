package stytch

import (
	"io"
	"net/http"
	"time"
)

// maxResponse is the limit of a response body, in bytes.
const maxResponse = 1 << 20

func network() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	return t
}

// limitedTransport truncates long responses, which then fail to parse.
type limitedTransport struct{ http.RoundTripper }

func (l limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return res, err
	}
	if created, ok := r.Context().Value(linkCreatedKey{}).(*time.Time); ok {
		readLinkCreated(res, created)
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxResponse), res.Body}
	return res, nil
}

// linkCreatedHeader is a header of the local Stytch's response to a valid link: when the
// link was created, in RFC 3339. Stytch itself sends no such header.
const linkCreatedHeader = "Guestlist-Link-Made-At"

// linkCreatedKey is the context key of a *time.Time that receives the header's value.
type linkCreatedKey struct{}

func readLinkCreated(res *http.Response, created *time.Time) {
	if t, err := time.Parse(time.RFC3339Nano, res.Header.Get(linkCreatedHeader)); err == nil {
		*created = t.UTC()
	}
}
