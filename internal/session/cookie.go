package session

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
)

// CookieOptions are the settings of the cookies.
type CookieOptions struct {
	Keys   []string // secrets, at least one; the first signs and encrypts, all can decrypt
	Name   string
	Path   string
	Secure bool // send over https only
	MaxAge time.Duration
	Now    func() time.Time
}

// Cookies reads and writes the six cookies of a browser, each encrypted and signed: the
// session token, the SignInFlow, the Message for the next page, the Draft, the users that
// have signed in before, and the ticket to an app, which is sealed by its own package. A cookie that can't be decrypted is ignored and never
// deleted: it may belong to an instance with a newer key, or to another program on the
// same host.
type Cookies struct {
	opts  CookieOptions
	store *sessions.CookieStore
}

// NewCookies returns Cookies.
func NewCookies(o CookieOptions) (*Cookies, error) {
	if len(o.Keys) == 0 {
		return nil, errors.New("session: cookies need a key")
	}
	store := &sessions.CookieStore{Options: &sessions.Options{
		Path: o.Path, Secure: o.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(o.MaxAge.Seconds()),
	}}
	for _, key := range o.Keys {
		derived, err := hkdf.Key(sha256.New, []byte(key), nil, "guestlist cookie v1", 64)
		if err != nil {
			return nil, err
		}
		codec := securecookie.New(derived[:32], derived[32:])
		codec.SetSerializer(querySerializer{})
		codec.MaxAge(0) // ages are checked with our own clock
		store.Codecs = append(store.Codecs, codec)
	}
	return &Cookies{opts: o, store: store}, nil
}

// Names returns the names of all cookies.
func (c *Cookies) Names() []string {
	names := []string{c.opts.Name}
	for _, suffix := range []string{"-signin", "-message", "-draft", "-known", "-enter"} {
		names = append(names, c.opts.Name+suffix)
	}
	return names
}

// Name returns the name of the session cookie.
func (c *Cookies) Name() string { return c.opts.Name }

// Token returns the browser's session token, or "" if its cookie is missing or can't be
// decrypted. exists reports whether there is a session cookie.
func (c *Cookies) Token(r *http.Request) (token string, exists bool) {
	values, exists := c.open(r, c.opts.Name)
	return values["token"], exists
}

// SetToken sets the session cookie.
func (c *Cookies) SetToken(w http.ResponseWriter, r *http.Request, token string) error {
	return c.save(w, r, c.opts.Name, map[string]string{"token": token}, c.opts.MaxAge)
}

// ClearToken deletes the session cookie.
func (c *Cookies) ClearToken(w http.ResponseWriter, r *http.Request) {
	c.clear(w, r, c.opts.Name)
}

// A browser is known for the last maxKnown users that signed in, for knownDuration.
const (
	knownDuration = 400 * 24 * time.Hour
	maxKnown      = 8
)

// KnownBrowser returns the id of a browser that has signed in with the address
// (normalized), or with any if address is empty. It returns "" for other browsers.
func (c *Cookies) KnownBrowser(r *http.Request, address string) (id string) {
	v, _ := c.open(r, c.opts.Name+"-known")
	if address != "" && !slices.Contains(strings.Fields(v["people"]), fingerprint(address)) {
		return ""
	}
	return v["id"]
}

// SetKnown remembers that the browser has signed in with an address. This affects rate
// limits only, see limits.go.
func (c *Cookies) SetKnown(w http.ResponseWriter, r *http.Request, address string) error {
	v, _ := c.open(r, c.opts.Name+"-known")
	people := slices.DeleteFunc(strings.Fields(v["people"]), func(p string) bool { return p == fingerprint(address) })
	people = append([]string{fingerprint(address)}, people...)
	if v["id"] == "" {
		v["id"] = rand.Text()
	}
	v["people"], v["last"] = strings.Join(people[:min(len(people), maxKnown)], " "), address
	return c.save(w, r, c.opts.Name+"-known", v, knownDuration)
}

// Last returns the address (normalized) that the browser signed in with last, or "" if
// there is none or its user has signed out.
func (c *Cookies) Last(r *http.Request) string {
	v, _ := c.open(r, c.opts.Name+"-known")
	return v["last"]
}

// ForgetLast makes Last return "".
func (c *Cookies) ForgetLast(w http.ResponseWriter, r *http.Request) {
	v, _ := c.open(r, c.opts.Name+"-known")
	if v["last"] == "" {
		return
	}
	delete(v, "last")
	_ = c.save(w, r, c.opts.Name+"-known", v, knownDuration) // can't fail, it is shorter than it was
}

// fingerprint represents an address in a cookie.
func fingerprint(address string) string { return Hash(address)[:16] }

// Message is shown on the next page and says what an action did.
type Message struct {
	Text        string // empty for none
	Warning     bool   // the action did not fully succeed
	GonePasskey string // id of a passkey that was removed (factor.Factor.CredentialID); empty if none was
}

// SetMessage stores a message for the next page.
func (c *Cookies) SetMessage(w http.ResponseWriter, r *http.Request, m Message) error {
	values := map[string]string{"text": m.Text, "warning": strconv.FormatBool(m.Warning)}
	if m.GonePasskey != "" {
		values["passkey"] = m.GonePasskey
	}
	return c.save(w, r, c.opts.Name+"-message", values, time.Minute)
}

// TakeMessage returns and deletes the stored message.
func (c *Cookies) TakeMessage(w http.ResponseWriter, r *http.Request) Message {
	v, _ := c.open(r, c.opts.Name+"-message")
	if v["text"] != "" {
		c.clear(w, r, c.opts.Name+"-message")
	}
	return Message{Text: v["text"], Warning: v["warning"] == "true", GonePasskey: v["passkey"]}
}

// ticketDuration is how long a browser keeps the ticket to an app: longer than links work.
const ticketDuration = 24 * time.Hour

// SetTicket stores a sealed ticket to an app, where the browser goes after signing in.
func (c *Cookies) SetTicket(w http.ResponseWriter, sealed string) {
	http.SetCookie(w, &http.Cookie{
		Name: c.opts.Name + "-enter", Value: sealed, Path: c.opts.Path, MaxAge: int(ticketDuration.Seconds()),
		Secure: c.opts.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// Ticket returns the stored ticket, or "". It may be any text.
func (c *Cookies) Ticket(r *http.Request) string {
	cookie, err := r.Cookie(c.opts.Name + "-enter")
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Seal encrypts and signs a text that a client sends back, such as a cursor. purpose
// distinguishes kinds of texts. It returns "" for an empty text or one that is too long.
func (c *Cookies) Seal(purpose, text string) string {
	if text == "" {
		return ""
	}
	sealed, err := securecookie.EncodeMulti(purpose, map[any]any{"text": text}, c.store.Codecs...)
	if err != nil {
		return ""
	}
	return sealed
}

// Unseal returns a sealed text. ok is false if it was not sealed with our keys.
func (c *Cookies) Unseal(purpose, sealed string) (text string, ok bool) {
	text, ok = c.decode(purpose, sealed)["text"]
	return text, ok
}

// open returns the values of the first cookie of a name that can be decrypted, and
// whether there is a cookie of that name. A browser sends several if they were set for
// different paths or domains.
func (c *Cookies) open(r *http.Request, name string) (values map[string]string, exists bool) {
	for _, cookie := range r.CookiesNamed(name) {
		if values := c.decode(name, cookie.Value); len(values) > 0 {
			return values, true
		}
		exists = true
	}
	return map[string]string{}, exists
}

// decode decrypts a cookie written by save, without the cost of a sessions.Session: it
// runs on every request.
func (c *Cookies) decode(name, sealed string) map[string]string {
	values := map[string]string{}
	if err := securecookie.DecodeMulti(name, sealed, &values, c.store.Codecs...); err != nil {
		return map[string]string{}
	}
	return values
}

func (c *Cookies) save(w http.ResponseWriter, r *http.Request, name string, values map[string]string, age time.Duration) error {
	s := sessions.NewSession(c.store, name)
	options := *c.store.Options
	options.MaxAge = int(age.Seconds())
	s.Options = &options
	for k, v := range values {
		if v != "" { // which is what is read for a missing one
			s.Values[k] = v
		}
	}
	return c.store.Save(r, w, s)
}

func (c *Cookies) clear(w http.ResponseWriter, r *http.Request, name string) {
	// An empty value can't fail to encode.
	_ = c.save(w, r, name, nil, -time.Second)
}

// querySerializer encodes values as a query string: securecookie's default, gob, would
// let a cookie name Go types.
type querySerializer struct{}

func (querySerializer) Serialize(src any) ([]byte, error) {
	v := url.Values{}
	for key, value := range src.(map[any]any) {
		v.Set(key.(string), value.(string))
	}
	return []byte(v.Encode()), nil
}

func (querySerializer) Deserialize(src []byte, dst any) error {
	v, err := url.ParseQuery(string(src))
	if err != nil {
		return err
	}
	values := *dst.(*map[string]string)
	for key := range v {
		values[key] = v.Get(key)
	}
	return nil
}
