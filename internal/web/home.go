package web

import (
	"hash/fnv"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/humanize"
)

// homePage is where everyone lands after signing in: the apps that open to the viewer, and for
// administrators all others.
type homePage struct {
	layoutData
	Apps    []appTile
	Others  []appTile // that don't open to the viewer; only for administrators
	SomeOff bool      // some of the others are switched off
	IsAdmin bool

	OfferPasskey bool
}

// appTile is an app as the home page shows it.
type appTile struct {
	apps.App
	Letter  string // the first of its name
	Colour  int    // of the letter's tile, 1 to tileColours
	Place   string // host where it opens; empty if it has no link
	OpensTo string // whom it opens to; only for administrators
}

// showHome shows the viewer's apps.
func (s *server) showHome(w http.ResponseWriter, r *http.Request) error {
	u := viewer(r).User
	open, err := s.opts.Apps.ListFor(r.Context(), u)
	if err != nil {
		return err
	}
	view := homePage{layoutData: s.sectionLayout(w, r, "My apps", "apps"), IsAdmin: u.IsActiveAdmin(), OfferPasskey: s.offersPasskey(r)}
	isOpen := map[string]bool{}
	for _, a := range open {
		isOpen[a.ID] = true
		view.Apps = append(view.Apps, newAppTile(a))
	}
	if !view.IsAdmin {
		return s.render(w, r, http.StatusOK, "home", view)
	}
	all, err := s.opts.Apps.List(r.Context())
	if err != nil {
		return err
	}
	view.Apps = nil
	for _, a := range all {
		tile := newAppTile(a)
		tile.OpensTo = opensTo(a)
		if isOpen[a.ID] {
			view.Apps = append(view.Apps, tile)
		} else {
			view.Others = append(view.Others, tile)
			view.SomeOff = view.SomeOff || !a.Enabled
		}
	}
	return s.render(w, r, http.StatusOK, "home", view)
}

// tileColours is the number of colours of tiles in app.css.
const tileColours = 8

func newAppTile(a apps.App) appTile {
	h := fnv.New32a()
	h.Write([]byte(a.Key()))
	place := a.Host
	if link, err := url.Parse(a.Link()); err == nil {
		place = link.Host
	}
	return appTile{App: a, Letter: firstLetter(a.Name), Colour: int(h.Sum32()%tileColours) + 1, Place: place}
}

// firstLetter returns the first letter or digit of a name in upper case, or its first character if
// it has none.
func firstLetter(name string) string {
	for _, c := range name {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return strings.ToUpper(string(c))
		}
	}
	for _, c := range name {
		return string(c)
	}
	return ""
}

// opensTo says whom an app opens to.
func opensTo(a apps.App) string {
	switch {
	case a.Audience == apps.Everyone:
		return "Everyone on the list"
	case len(a.Groups) == 1:
		return a.Groups[0].Name
	}
	return humanize.Plural(len(a.Groups), "group")
}
