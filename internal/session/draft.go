package session

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Draft is what a user had typed into a form when their session ended, or when the form
// needed a fresh sign-in. The browser keeps it, encrypted, until they have signed in again,
// to fill in the form or to submit it again.
type Draft struct {
	Page   string     // path of the page with the form
	Action string     // path and query that the form was posted to; empty unless it is to be submitted again
	Form   url.Values // empty for a page without a form
}

// Limits on the time that a draft is kept and on its length.
const (
	draftLifetime = 30 * time.Minute
	maxDraft      = 1500
)

// SetDraft stores a draft for the user who signed in last in this browser. It returns an
// error if there is none, or if the draft is too long for a cookie.
func (c *Cookies) SetDraft(w http.ResponseWriter, r *http.Request, d Draft) error {
	known, _ := c.open(r, c.opts.Name+"-known")
	people := strings.Fields(known["people"])
	if len(people) == 0 {
		return ErrDraftNotKept
	}
	return c.setDraft(w, r, d, people[0])
}

// ErrDraftNotKept is returned for a draft that is too long for a cookie, or that is no user's.
var ErrDraftNotKept = errors.New("session: draft not kept")

// KeepAction stores a draft with an action of the user with the address (normalized). It
// returns ErrDraftNotKept if the draft is too long for a cookie.
func (c *Cookies) KeepAction(w http.ResponseWriter, r *http.Request, d Draft, address string) error {
	return c.setDraft(w, r, d, fingerprint(address))
}

func (c *Cookies) setDraft(w http.ResponseWriter, r *http.Request, d Draft, person string) error {
	form := d.Form.Encode()
	if len(form)+len(d.Page)+len(d.Action) > maxDraft {
		return ErrDraftNotKept
	}
	return c.save(w, r, c.opts.Name+"-draft", map[string]string{
		"page": d.Page, "action": d.Action, "form": form, "for": person, "expires": strconv.FormatInt(c.opts.Now().Add(draftLifetime).Unix(), 10),
	}, draftLifetime)
}

// Draft returns the stored draft, or the zero Draft.
func (c *Cookies) Draft(r *http.Request) Draft {
	v, ok := c.draft(r)
	form, err := url.ParseQuery(v["form"])
	if !ok || err != nil {
		return Draft{}
	}
	return Draft{Page: v["page"], Action: v["action"], Form: form}
}

// Action returns the stored draft of the user with the address (normalized), if it has an action.
func (c *Cookies) Action(r *http.Request, address string) (Draft, bool) {
	if v, ok := c.draft(r); !ok || v["for"] != fingerprint(address) {
		return Draft{}, false
	}
	d := c.Draft(r)
	return d, d.Action != ""
}

// DropDraft deletes the stored draft.
func (c *Cookies) DropDraft(w http.ResponseWriter, r *http.Request) {
	if v, _ := c.open(r, c.opts.Name+"-draft"); len(v) > 0 {
		c.clear(w, r, c.opts.Name+"-draft")
	}
}

// DropPage deletes a draft without a form, once its user is on the way to the page.
func (c *Cookies) DropPage(w http.ResponseWriter, r *http.Request) {
	if d := c.Draft(r); d.Page != "" && len(d.Form) == 0 {
		c.clear(w, r, c.opts.Name+"-draft")
	}
}

// TakeDraft returns and deletes what the user with the address (normalized) typed on a page.
func (c *Cookies) TakeDraft(w http.ResponseWriter, r *http.Request, page, address string) (url.Values, bool) {
	v, ok := c.draft(r)
	if !ok || v["form"] == "" || v["page"] != page || v["for"] != fingerprint(address) {
		return nil, false
	}
	c.clear(w, r, c.opts.Name+"-draft")
	form, err := url.ParseQuery(v["form"])
	return form, err == nil
}

func (c *Cookies) draft(r *http.Request) (map[string]string, bool) {
	v, _ := c.open(r, c.opts.Name+"-draft")
	seconds, err := strconv.ParseInt(v["expires"], 10, 64)
	return v, err == nil && c.opts.Now().Before(time.Unix(seconds, 0))
}
