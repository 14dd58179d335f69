package stytchlocal_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/stytchlocal"
)

func TestTransport_DatabaseFault(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database is down")
	down := false
	f := onSQLite(t)
	f.server = f.newServer(func(o *stytchlocal.Options) {
		o.Log = discard
		inTx := o.InTx
		o.InTx = func(ctx context.Context, fn func(tx *sql.Tx) error) error {
			if down {
				return broken
			}
			return inTx(ctx, fn)
		}
	})
	call := func(ctx context.Context) (status int, body string, err error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://stytch/v1/magic_links/email/login_or_create",
			strings.NewReader(`{"email":"ada@example.com","login_magic_link_url":"http://localhost/x","signup_magic_link_url":"http://localhost/x"}`))
		if err != nil {
			t.Fatal(err)
		}
		c := f.server.Credentials()
		r.SetBasicAuth(c.ProjectID, c.Secret)
		r.Header.Set("Content-Type", "application/json")
		res, err := f.server.Transport().RoundTrip(r)
		if err != nil {
			return 0, "", err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		return res.StatusCode, string(text), err
	}
	if status, body, err := call(t.Context()); status != http.StatusOK {
		t.Fatalf("before: %d %s %v", status, body, err)
	}
	down = true
	var marked interface{ DatabaseFault() bool }
	if status, body, err := call(t.Context()); !errors.As(err, &marked) || strings.Contains(err.Error(), "is down") {
		t.Errorf("while the database is down: %d %s %v", status, body, err)
	}
	down = false
	if status, body, err := call(t.Context()); status != http.StatusOK {
		t.Errorf("afterwards: %d %s %v", status, body, err)
	}
}

func TestTransport_CancelledWhileWaitingForDatabase(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	asked, release := make(chan struct{}), make(chan struct{})
	f.server = f.newServer(func(o *stytchlocal.Options) {
		inTx := o.InTx
		o.InTx = func(ctx context.Context, fn func(tx *sql.Tx) error) error {
			select {
			case asked <- struct{}{}:
				<-release
			default:
			}
			return inTx(ctx, fn)
		}
	})
	defer close(release)
	ctx, cancel := context.WithCancelCause(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://stytch/v1/magic_links/email/login_or_create",
		strings.NewReader(`{"email":"ada@example.com","login_magic_link_url":"http://localhost/x","signup_magic_link_url":"http://localhost/x"}`))
	if err != nil {
		t.Fatal(err)
	}
	c := f.server.Credentials()
	r.SetBasicAuth(c.ProjectID, c.Secret)
	ended := make(chan error, 1)
	go func() {
		res, err := f.server.Transport().RoundTrip(r)
		if err == nil {
			res.Body.Close()
		}
		ended <- err
	}()
	<-asked
	cancel(nil)
	var marked interface{ DatabaseFault() bool }
	if err := <-ended; !errors.As(err, &marked) || !marked.DatabaseFault() {
		t.Errorf("the error does not say that it waited for the database: %v", err)
	}
}
