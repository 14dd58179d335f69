package session

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Draft is what a person had typed into a form when their session had ended. The
// browser keeps it, encrypted, until they have signed in again; it only fills the
// form in, and does nothing by itself.
type Draft struct {
	Page string     // path of the page with the form
	Form url.Values // empty: there was nothing to type
}

// How long a draft is kept, and how long its text may be.
const (
	draftLifetime = 30 * time.Minute
	maxDraft      = 1500
)

// SetDraft keeps a draft for whoever signed in last in this browser. It is an error
// if nobody did, or if the draft is too long for a cookie.
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

// Draft returns the draft that the browser keeps; empty for none.
func (c *Cookies) Draft(r *http.Request) Draft {
	v, ok := c.draft(r)
	form, err := url.ParseQuery(v["form"])
	if !ok || err != nil {
		return Draft{}
	}
	return Draft{Page: v["page"], Form: form}
}

// DropPage has the browser forget a draft that is a page alone: its person is on the
// way there.
func (c *Cookies) DropPage(w http.ResponseWriter, r *http.Request) {
	if d := c.Draft(r); d.Page != "" && len(d.Form) == 0 {
		c.clear(w, r, c.opts.Name+"-draft")
	}
}

// TakeDraft returns, once, what was typed on a page by the one who has this address
// (compared form).
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
