package session

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Draft is what a user had typed into a form when their session ended. The browser keeps
// it, encrypted, until they have signed in again, to fill in the form.
type Draft struct {
	Page string     // path of the page with the form
	Form url.Values // empty for a page without a form
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
	people, form := strings.Fields(known["people"]), d.Form.Encode()
	if len(people) == 0 || len(form)+len(d.Page) > maxDraft {
		return errors.New("session: draft not kept")
	}
	return c.save(w, r, c.opts.Name+"-draft", map[string]string{
		"page": d.Page, "form": form, "for": people[0], "expires": strconv.FormatInt(c.opts.Now().Add(draftLifetime).Unix(), 10),
	}, draftLifetime)
}

// Draft returns the stored draft, or the zero Draft.
func (c *Cookies) Draft(r *http.Request) Draft {
	v, ok := c.draft(r)
	form, err := url.ParseQuery(v["form"])
	if !ok || err != nil {
		return Draft{}
	}
	return Draft{Page: v["page"], Form: form}
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
