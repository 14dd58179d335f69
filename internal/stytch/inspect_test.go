package stytch_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/stytch"
)

// breaks sets faults of the local Stytch.
func (l *local) breaks(t *testing.T, faults string) {
	t.Helper()
	w := httptest.NewRecorder()
	l.server.DevPages().ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/dev/faults.json?key="+l.server.DevKey(), strings.NewReader(faults)))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

func TestInspectProject(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(t *testing.T, l *local, o *stytch.Options)
		ahead  time.Duration // to a second
		want   string        // of the error
	}{
		{name: "all is well", change: func(*testing.T, *local, *stytch.Options) {}},
		{name: "its clock is ahead", change: func(t *testing.T, l *local, o *stytch.Options) { l.breaks(t, `{"clock_ms":90000}`) }, ahead: 90 * time.Second},
		{name: "its clock is behind", change: func(t *testing.T, l *local, o *stytch.Options) { l.breaks(t, `{"clock_ms":-90000}`) }, ahead: -90 * time.Second},
		{name: "another secret", change: func(_ *testing.T, _ *local, o *stytch.Options) { o.Secret = "secret-test-hush" }, want: "Stytch rejected STYTCH_PROJECT_ID and STYTCH_SECRET"},
		{name: "another project", change: func(_ *testing.T, _ *local, o *stytch.Options) { o.ProjectID = "project-test-1" }, want: "Stytch rejected STYTCH_PROJECT_ID and STYTCH_SECRET"},
		{name: "it fails", change: func(t *testing.T, l *local, _ *stytch.Options) {
			l.breaks(t, `{"rules":[{"kind":"status","status":500}]}`)
		}, want: "Stytch answered internal_server_error"},
		{name: "it is overrun", change: func(t *testing.T, l *local, _ *stytch.Options) {
			l.breaks(t, `{"rules":[{"kind":"status","status":429}]}`)
		}, want: "Stytch answered too_many_requests"},
		{name: "a proxy answers", change: func(t *testing.T, l *local, _ *stytch.Options) { l.breaks(t, `{"rules":[{"kind":"garbage"}]}`) }, want: "the response isn't from Stytch, or was cut off"},
		{name: "the answer is cut", change: func(t *testing.T, l *local, _ *stytch.Options) { l.breaks(t, `{"rules":[{"kind":"cut"}]}`) }, want: "the response isn't from Stytch, or was cut off"},
		{name: "the answer is empty", change: func(t *testing.T, l *local, _ *stytch.Options) { l.breaks(t, `{"rules":[{"kind":"empty"}]}`) }, want: "the response isn't from Stytch, or was cut off"},
	} {
		t.Run(row.name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, l *local) {
				o := l.opts
				row.change(t, l, &o)
				project, err := stytch.InspectProject(t.Context(), o)
				if row.want != "" {
					if err == nil || err.Error() != row.want {
						t.Fatalf("got %v", err)
					}
					if advised, ok := err.(interface{ Advice() string }); !ok || advised.Advice() == "" {
						t.Error("it does not say what to do")
					}
					return
				}
				if err != nil || project.Name != "Guestlist" || !project.Timed || (project.Ahead-row.ahead).Abs() > time.Second {
					t.Errorf("%+v, %v", project, err)
				}
			})
		})
	}
}

func TestInspectProject_NetworkErrorAndOtherProject(t *testing.T) {
	t.Parallel()
	o := options(newClock())
	o.BaseURL = "http://127.0.0.1:1"
	if _, err := stytch.InspectProject(t.Context(), o); !errors.As(err, new(*url.Error)) {
		t.Errorf("what the network says is not kept: %v", err)
	}
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		return respond(r, 200, `{"project_id":"project-test-2"}`), nil
	})
	if _, err := stytch.InspectProject(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another project") {
		t.Errorf("another project is taken for ours: %v", err)
	}
}
