package apps

import (
	"errors"
	"maps"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

var ownAddress = Own{BaseURL: &url.URL{Scheme: "https", Host: "people.example.com"}}

func TestInput_WithoutAddress(t *testing.T) {
	t.Parallel()
	const first = "Give the app an address first."
	for name, row := range map[string]struct {
		in     Input
		fields map[string]string // nil if it is accepted
	}{
		"no address":            {Input{}, nil},
		"blank":                 {Input{URL: " "}, nil},
		"with a link":           {Input{HomeURL: "https://example.com/grafana"}, nil},
		"with an upstream":      {Input{Upstream: "http://127.0.0.1:3000"}, map[string]string{"upstream": first}},
		"with public paths":     {Input{PublicPaths: "/health"}, map[string]string{"public_paths": first}},
		"with a malformed link": {Input{HomeURL: "grafana"}, map[string]string{"home_url": errHomeURL.Error()}},
		"with everything":       {Input{URL: "https://wiki.example.com", Upstream: "http://127.0.0.1:3000", PublicPaths: "/health"}, nil},
	} {
		row.in.Name, row.in.Audience = "Wiki", string(Everyone)
		a, err := row.in.Parse(ownAddress)
		invalid := &directory.ValidationError{}
		if row.fields == nil && err != nil || row.fields != nil && (!errors.As(err, &invalid) || !maps.Equal(invalid.Fields, row.fields)) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && a.HasAddress() != (row.in.Upstream != "") {
			t.Errorf("%s: the address is %q", name, a.URL())
		}
	}
}

func TestApp_Link(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		app       App
		url, link string
	}{
		"an address":          {App{Scheme: "https", Host: "wiki.example.com"}, "https://wiki.example.com", "https://wiki.example.com"},
		"an address and link": {App{Scheme: "https", Host: "wiki.example.com", HomeURL: "https://wiki.example.com/start"}, "https://wiki.example.com", "https://wiki.example.com/start"},
		"a link":              {App{HomeURL: "https://example.com/grafana"}, "", "https://example.com/grafana"},
		"neither":             {App{}, "", ""},
	} {
		if row.app.URL() != row.url || row.app.Link() != row.link {
			t.Errorf("%s: %q, %q", name, row.app.URL(), row.app.Link())
		}
	}
}

func TestApp_SwitchedOffUntilSwitchedOn(t *testing.T) {
	t.Parallel()
	on, off := true, false
	created, _, err := newApp(event.Origin{}, Input{Name: "Wiki", Audience: string(Everyone)}, ownAddress, noon)
	if err != nil || !created.Enabled {
		t.Fatalf("a new app: %+v, %v", created, err)
	}
	switchedOff, e := created.switched(event.Origin{}, false, noon.Add(time.Minute))
	want := []event.Change{{Field: "enabled", Old: "yes", New: "no"}}
	if switchedOff.Enabled || !switchedOff.UpdatedAt.Equal(noon.Add(time.Minute)) || !cmp.Equal(e.Changes, want) {
		t.Errorf("switched off: %+v, %+v", switchedOff, e)
	}
	if _, e := switchedOff.switched(event.Origin{}, false, noon); len(e.Changes) != 0 {
		t.Errorf("switched off again: %+v", e.Changes)
	}
	for name, row := range map[string]struct {
		app     App
		enabled *bool
		want    bool
		changes []event.Change
	}{
		"an edit of other fields":     {switchedOff, nil, false, nil},
		"an edit that switches on":    {switchedOff, &on, true, []event.Change{{Field: "enabled", Old: "no", New: "yes"}}},
		"an edit that switches off":   {created, &off, false, want},
		"an edit that changes none":   {created, &on, true, nil},
		"an edit of an app that's on": {created, nil, true, nil},
	} {
		in := row.app.Input()
		in.Enabled = row.enabled
		edited, e, err := row.app.edit(event.Origin{}, in, ownAddress, noon.Add(time.Hour))
		if edited.Enabled != row.want || err != nil || !cmp.Equal(e.Changes, row.changes) {
			t.Errorf("%s: %v, %+v, %v", name, edited.Enabled, e.Changes, err)
		}
	}
}

func TestApp_ChangesOfAddress(t *testing.T) {
	t.Parallel()
	a := App{ID: "wiki", Name: "Wiki", Scheme: "https", Host: "wiki.example.com", Audience: Everyone, Enabled: true, UpdatedAt: noon}
	in := a.Input()
	in.URL, in.HomeURL = "", "https://example.com/wiki"
	edited, e, err := a.edit(event.Origin{}, in, ownAddress, noon)
	want := []event.Change{{Field: "address", Old: "https://wiki.example.com"}, {Field: "home URL", New: "https://example.com/wiki"}}
	if edited.HasAddress() || edited.Scheme != "" || err != nil || !cmp.Equal(e.Changes, want) {
		t.Errorf("%+v, %+v, %v", edited, e.Changes, err)
	}
}
