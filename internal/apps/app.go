// Package apps holds the protected apps and decides who may open them.
//
// An app is a web application on an origin of its own, or a program without one that signs
// people in by OpenID Connect. It opens to everyone in the directory or to groups, unless it
// is switched off. [Decide] is the one place that decides: forward auth, the built-in proxy,
// app tokens, the list of a user's apps and the diagnosis all ask it.
//
// A browser has a credential for each app, which Service.Redeem issues and Service.Check
// looks up together with the app, the session, the user and the memberships in one query,
// so that every change takes effect on the next request.
package apps

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// Audience says whom an app opens to.
type Audience string

// The audiences.
const (
	Everyone Audience = "everyone" // every user in the directory
	Groups   Audience = "groups"   // members of App.Groups
)

// App is a protected app. Times are UTC.
type App struct {
	ID            string // UUIDv7
	Name          string // as typed
	Scheme        string // http or https; empty if the app has no address
	Host          string // canonical, see ParseHost; empty if the app has no address
	HomeURL       string // where My apps opens the app; empty for its address
	Audience      Audience
	Groups        []directory.Group // that open it if Audience is Groups
	Upstream      string            // origin that the built-in proxy sends requests to; empty if another proxy does that
	PublicPaths   []string          // patterns that are open to everyone, see IsPublic
	AllowRequests bool              // users without access may request it
	Enabled       bool              // otherwise it is switched off and opens to no one
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// HasAddress reports whether the app has an origin of its own, where Guestlist checks requests.
func (a App) HasAddress() bool { return a.Host != "" }

// URL returns the app's origin, without a slash at its end. It is empty if the app has no
// address.
func (a App) URL() string {
	if !a.HasAddress() {
		return ""
	}
	return a.Scheme + "://" + a.Host
}

// Link returns where people open the app: HomeURL or, without one, the app's address. It is
// empty if the app has neither, in which case people open it from a program of their own.
func (a App) Link() string { return cmp.Or(a.HomeURL, a.URL()) }

// Key returns the form of the name in which it is unique.
func (a App) Key() string { return strings.ToLower(a.Name) }

// OpensTo reports whether a group opens the app.
func (a App) OpensTo(groupID string) bool {
	return slices.ContainsFunc(a.Groups, func(g directory.Group) bool { return g.ID == groupID })
}

// groupNames returns the names of the app's groups, sorted and separated by commas.
func (a App) groupNames() string {
	names := make([]string, len(a.Groups))
	for i, g := range a.Groups {
		names[i] = g.Name
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Limits of apps.
const (
	MaxApps        = 1000
	MaxPublicPaths = 50
)

// Errors of this package. Its functions also return *directory.ValidationError,
// directory.ErrNotFound and directory.ErrUnavailable.
var (
	ErrNameTaken   = errors.New("an app with this name exists already")
	ErrHostTaken   = errors.New("an app with this address exists already")
	ErrChanged     = errors.New("this app was changed by someone else meanwhile")
	ErrTooManyApps = fmt.Errorf("there are %d apps already: remove one first", MaxApps)
)

// Input is an app as typed. All fields of an edit are given.
type Input struct {
	Name          string
	URL           string // https://wiki.example.com, optionally with a port; empty for an app without an address
	HomeURL       string // may be empty
	Audience      string // everyone or groups; has no default
	GroupIDs      []string
	Upstream      string // may be empty
	PublicPaths   string // one in a line
	AllowRequests bool
	Enabled       *bool // nil leaves it as it is, and switches a new app on

	// Seen is the UpdatedAt of the app as it was when the input was typed. If the app was
	// changed since, an edit fails with ErrChanged. Zero skips the check.
	Seen time.Time
}

// Input returns the input that describes the app as it is. An edit made from it fails with
// ErrChanged if the app has changed since.
func (a App) Input() Input {
	in := Input{
		Name: a.Name, URL: a.URL(), HomeURL: a.HomeURL, Audience: string(a.Audience), Upstream: a.Upstream,
		PublicPaths: strings.Join(a.PublicPaths, "\n"), AllowRequests: a.AllowRequests, Seen: a.UpdatedAt,
	}
	for _, g := range a.Groups {
		in.GroupIDs = append(in.GroupIDs, g.ID)
	}
	return in
}

// Parse validates the input and returns the app, whose Groups have IDs only. It is switched on
// unless the input says otherwise. The error is a *directory.ValidationError.
func (in Input) Parse(own Own) (App, error) {
	fields := map[string]string{}
	report := func(field string, err error) {
		if err != nil {
			fields[field] = err.Error()
		}
	}
	var a App
	var err error
	a.Name, err = parseName(in.Name)
	report("name", err)
	a.HomeURL, err = ParseHomeURL(in.HomeURL)
	report("home_url", err)
	a.Audience = Audience(in.Audience)
	switch {
	case a.Audience != Everyone && a.Audience != Groups:
		fields["audience"] = "Choose who may open the app."
	case a.Audience == Groups && len(in.GroupIDs) == 0:
		fields["groups"] = "Choose at least one group."
	case a.Audience == Groups:
		for _, id := range slices.Compact(slices.Sorted(slices.Values(in.GroupIDs))) {
			a.Groups = append(a.Groups, directory.Group{ID: id})
		}
	}
	in.parseAddress(&a, own, report)
	a.AllowRequests = in.AllowRequests
	a.Enabled = in.Enabled == nil || *in.Enabled
	if len(fields) > 0 {
		return App{}, &directory.ValidationError{Fields: fields}
	}
	return a, nil
}

// parseAddress sets the app's address, and what only an app with one can have.
func (in Input) parseAddress(a *App, own Own, report func(field string, err error)) {
	if strings.TrimSpace(in.URL) == "" {
		if strings.TrimSpace(in.Upstream) != "" {
			report("upstream", errNoAddress)
		}
		if strings.TrimSpace(in.PublicPaths) != "" {
			report("public_paths", errNoAddress)
		}
		return
	}
	var err error
	a.Scheme, a.Host, err = ParseURL(in.URL)
	if err == nil {
		err = checkShared(*a, own.BaseURL)
	}
	report("url", err)
	a.Upstream, err = ParseUpstream(in.Upstream, *a, own)
	report("upstream", err)
	a.PublicPaths, err = ParsePublicPaths(in.PublicPaths)
	report("public_paths", err)
}

var errNoAddress = fieldError("Give the app an address first.")

// fieldError is a message to show beside a field.
type fieldError string

func (e fieldError) Error() string { return string(e) }

func parseName(s string) (string, error) {
	name, err := directory.ParseName(s)
	if err == nil && name == "" {
		return "", fieldError("Name the app.")
	}
	return name, err
}

// checkShared returns an error for an app on Guestlist's own origin, unless Guestlist has a
// path there that distinguishes its requests from the app's.
func checkShared(a App, baseURL *url.URL) error {
	_, own, err := ParseURL(baseURL.Scheme + "://" + baseURL.Host)
	if err != nil || own != a.Host || baseURL.Path != "" {
		return nil
	}
	return fieldError("This is Guestlist’s own address. Give the app a host of its own, or set GUESTLIST_BASE_URL to a path below this one, such as " + a.URL() + "/people.")
}

// newApp returns a new app and the event of its creation.
func newApp(by event.Origin, in Input, own Own, now time.Time) (App, event.Event, error) {
	a, err := in.Parse(own)
	if err != nil {
		return App{}, event.Event{}, err
	}
	a.ID, a.CreatedAt, a.UpdatedAt = ids.New(), now, now
	e := by.NewEvent(event.AppCreated, now, "", "", a.Name)
	e.Changes = changes(App{}, a)
	return a, e, nil
}

// edit returns the app with the input's values and the event of the change.
func (a App) edit(by event.Origin, in Input, own Own, now time.Time) (App, event.Event, error) {
	if !in.Seen.IsZero() && !in.Seen.Equal(a.UpdatedAt) {
		return App{}, event.Event{}, ErrChanged
	}
	edited, err := in.Parse(own)
	if err != nil {
		return App{}, event.Event{}, err
	}
	if in.Enabled == nil {
		edited.Enabled = a.Enabled
	}
	edited.ID, edited.CreatedAt, edited.UpdatedAt = a.ID, a.CreatedAt, now
	e := by.NewEvent(event.AppEdited, now, "", "", a.Name)
	e.Changes = changes(a, edited)
	return edited, e, nil
}

// switched returns the app switched on or off, and the event of the change.
func (a App) switched(by event.Origin, on bool, now time.Time) (App, event.Event) {
	switched := a
	switched.Enabled, switched.UpdatedAt = on, now
	e := by.NewEvent(event.AppEdited, now, "", "", a.Name)
	e.Changes = changes(a, switched)
	return switched, e
}

// changes returns the fields in which two apps differ. Groups are compared by the store,
// which knows their names; see GroupsChange.
func changes(old, a App) []event.Change {
	var list []event.Change
	add := func(field, was, is string) {
		if was != is {
			list = append(list, event.Change{Field: field, Old: was, New: is})
		}
	}
	flag := func(b bool) string {
		if b {
			return "yes"
		}
		return "no"
	}
	add("name", old.Name, a.Name)
	add("address", old.URL(), a.URL())
	add("home URL", old.HomeURL, a.HomeURL)
	add("opens to", string(old.Audience), string(a.Audience))
	add("upstream", old.Upstream, a.Upstream)
	add("public paths", strings.Join(old.PublicPaths, " "), strings.Join(a.PublicPaths, " "))
	add("requests", flag(old.AllowRequests), flag(a.AllowRequests))
	if old.ID != "" || !a.Enabled { // new apps are switched on
		add("enabled", flag(old.ID == "" || old.Enabled), flag(a.Enabled))
	}
	return list
}

// GroupsChange returns the change from the groups of old to those of a, both with names,
// and whether they differ.
func GroupsChange(old, a App) (c event.Change, differ bool) {
	c = event.Change{Field: "groups", Old: old.groupNames(), New: a.groupNames()}
	return c, c.Old != c.New
}
