package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/webhook"
)

var key = bytes.Repeat([]byte{7}, 32)

// receiver responds with a list of statuses, the last of which repeats. Status 0 is a
// failing connection.
type receiver struct {
	t       *testing.T
	answers []int
	begin   time.Time
	ids     []string
	got     []delivery
}

type delivery struct {
	Body  string
	After time.Duration // since the beginning
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		r.t.Error(err)
	}
	r.verify(req.Header, body)
	r.ids = append(r.ids, req.Header.Get("svix-id"))
	r.got = append(r.got, delivery{string(body), time.Since(r.begin)})
	status := r.answers[min(len(r.got), len(r.answers))-1]
	if status == 0 {
		return nil, errors.New("no connection")
	}
	return &http.Response{StatusCode: status, Status: strconv.Itoa(status), Body: io.NopCloser(strings.NewReader("thanks"))}, nil
}

// verify checks a signature with the secret.
func (r *receiver) verify(h http.Header, body []byte) {
	r.t.Helper()
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhook.Secret(key), "whsec_"))
	if err != nil {
		r.t.Error(err)
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(h.Get("svix-id") + "." + h.Get("svix-timestamp") + "." + string(body)))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); h.Get("svix-signature") != want {
		r.t.Errorf("the signature is %q, want %q", h.Get("svix-signature"), want)
	}
	if want := strconv.FormatInt(time.Now().Unix(), 10); h.Get("svix-timestamp") != want {
		r.t.Errorf("the timestamp is %q, want %q", h.Get("svix-timestamp"), want)
	}
	if !strings.HasPrefix(h.Get("svix-id"), "msg_") || h.Get("Content-Type") != "application/json" {
		r.t.Errorf("headers %v", h)
	}
}

// send sends bodies and returns what was received after an hour.
func send(t *testing.T, answers []int, bodies ...string) (*receiver, string) {
	t.Helper()
	var log bytes.Buffer
	r := &receiver{t: t, answers: answers, begin: time.Now()}
	s := webhook.New(webhook.Options{
		URL: "http://localhost/webhooks", Transport: r, Key: key, Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	for _, body := range bodies {
		s.Send([]byte(body))
	}
	time.Sleep(time.Hour) // no time at all, in a bubble
	s.Close()
	return r, log.String()
}

func TestSender_Order(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, log := send(t, []int{200, 204}, "one", "two", "three")
		if diff := cmp.Diff([]delivery{{"one", 0}, {"two", 0}, {"three", 0}}, r.got); diff != "" || log != "" {
			t.Error(diff, log)
		}
		if r.ids[0] == r.ids[1] || r.ids[1] == r.ids[2] {
			t.Errorf("ids are %v", r.ids)
		}
	})
}

func TestSender_RetriesWithTheSameID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, log := send(t, []int{500, 0, 302, 200}, "one", "two")
		if diff := cmp.Diff([]delivery{{"one", 0}, {"one", time.Second}, {"one", 5 * time.Second}, {"one", 21 * time.Second}, {"two", 21 * time.Second}}, r.got); diff != "" || log != "" {
			t.Error(diff, log)
		}
		if r.ids[0] != r.ids[1] || r.ids[1] != r.ids[2] || r.ids[2] != r.ids[3] || r.ids[3] == r.ids[4] {
			t.Errorf("ids are %v", r.ids)
		}
	})
}

func TestSender_GivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, log := send(t, []int{400, 400, 400, 400, 400, 200}, "one", "two")
		if n := len(r.got); n != 6 || r.got[5] != (delivery{"two", 85 * time.Second}) {
			t.Errorf("received %v", r.got)
		}
		if !strings.Contains(log, "webhook given up") || !strings.Contains(log, r.ids[0]) {
			t.Errorf("the log says %s", log)
		}
	})
}

func TestSender_QueueIsLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, log := send(t, []int{200}, make([]string, 1200)...)
		if n, lost := len(r.got), strings.Count(log, "too many are waiting"); n+lost != 1200 || n < 1000 {
			t.Errorf("%d received, %d said to be lost", n, lost)
		}
	})
}

func TestSender_CloseEndsAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t, answers: []int{500}, begin: time.Now()}
		s := webhook.New(webhook.Options{URL: "http://localhost/", Transport: r, Key: key, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		s.Send([]byte("one"))
		synctest.Wait()
		s.Close()
		if len(r.got) != 1 || time.Since(r.begin) != 0 {
			t.Errorf("received %v, closed after %v", r.got, time.Since(r.begin))
		}
	})
}
