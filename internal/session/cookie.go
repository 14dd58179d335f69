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

// CookieOptions say what the cookies look like.
type CookieOptions struct {
	Keys   []string // secrets; the first signs and encrypts, all open
	Name   string
	Path   string // the product's path at its host
	Secure bool   // https
	MaxAge time.Duration
	Now    func() time.Time
}

// Cookies are the five cookies of a browser, each encrypted and signed: who it
// is (the session token), what it asked for (a Flow), what to tell the person on
// the next page, what they had typed (a Draft), and as whom it has signed in before. A cookie that can't be opened,
// because it was cut, edited or made with a key that this instance does not have, is
// ignored and never deleted: it may be another instance's, which has a newer key, or
// another program's at the same host.
type Cookies struct {
	opts  CookieOptions
	store *sessions.CookieStore
}

// NewCookies returns the cookies under the given keys, of which there must be one.
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
		codec.MaxAge(0) // age is checked by our own clock: the session's in its row, the others' in the cookie
		store.Codecs = append(store.Codecs, codec)
	}
	return &Cookies{opts: o, store: store}, nil
}

// Name returns the name of the session cookie.
func (c *Cookies) Name() string { return c.opts.Name }

// Token returns the session token that the browser holds, which is empty if it has
// no session cookie or none that can be opened. had reports whether there was a
// session cookie at all.
func (c *Cookies) Token(r *http.Request) (token string, had bool) {
	values, had := c.open(r, c.opts.Name)
	return values["token"], had
}

// SetToken gives the browser a session token.
func (c *Cookies) SetToken(w http.ResponseWriter, r *http.Request, token string) error {
	return c.save(w, r, c.opts.Name, map[string]string{"token": token}, c.opts.MaxAge)
}

// ClearToken takes it away.
func (c *Cookies) ClearToken(w http.ResponseWriter, r *http.Request) {
	c.clear(w, r, c.opts.Name)
}

// SignInFlow is what belongs to a sign-in that is under way in this browser. One flow
// serves every link that the browser asks for or opens while it lasts: a mailed link
// can't say which request it answers.
type SignInFlow struct {
	ID         string    // random; a browser without it can't bring a spent link again
	ReturnPath string    // where to go afterwards; empty: the person's own start page
	Returned   bool      // somebody was brought there; it is kept for a link that is brought again
	Verifier   string    // PKCE code verifier of all its links; empty if they have none
	MadeAt     time.Time // when the verifier was made, whole microseconds; zero if not known
	Asked      string    // fingerprints of the addresses that links were asked for; empty: it has only opened one
	Token      string    // of the link that was opened last, for a reload when the address no longer has it
	ExpiresAt  time.Time // whole seconds
}

// NewFlowID returns the id of a new flow.
func NewFlowID() string { return rand.Text() }

// maxAsked is for how many addresses a flow remembers that links were asked for.
const maxAsked = 8

// Ask remembers that a link was asked for an address (compared form).
func (f *SignInFlow) Ask(address string) {
	if hasAsked(f.Asked, address) {
		return
	}
	asked := append([]string{fingerprint(address)}, strings.Fields(f.Asked)...)
	f.Asked = strings.Join(asked[:min(len(asked), maxAsked)], " ")
}

// hasAsked reports whether a flow's addresses include one.
func hasAsked(asked, address string) bool {
	return slices.Contains(strings.Fields(asked), fingerprint(address))
}

// Flow returns the browser's sign-in under way; ok is false if there is none.
func (c *Cookies) Flow(r *http.Request) (f SignInFlow, ok bool) {
	v, _ := c.open(r, c.opts.Name+"-signin")
	seconds, err := strconv.ParseInt(v["expires"], 10, 64)
	f = SignInFlow{
		ID: v["id"], ReturnPath: v["return"], Returned: v["returned"] == "true", Verifier: v["verifier"],
		Asked: v["asked"], Token: v["token"], ExpiresAt: time.Unix(seconds, 0),
	}
	if made, err := strconv.ParseInt(v["made"], 10, 64); err == nil {
		f.MadeAt = time.UnixMicro(made).UTC()
	}
	if err != nil || !c.opts.Now().Before(f.ExpiresAt) {
		return SignInFlow{}, false
	}
	return f, true
}

// SetFlow remembers a sign-in in the browser until it expires.
func (c *Cookies) SetFlow(w http.ResponseWriter, r *http.Request, f SignInFlow) error {
	v := map[string]string{
		"id": f.ID, "return": f.ReturnPath, "returned": strconv.FormatBool(f.Returned), "verifier": f.Verifier,
		"asked": f.Asked, "token": f.Token, "expires": strconv.FormatInt(f.ExpiresAt.Unix(), 10),
	}
	if !f.MadeAt.IsZero() {
		v["made"] = strconv.FormatInt(f.MadeAt.UnixMicro(), 10)
	}
	return c.save(w, r, c.opts.Name+"-signin", v, f.ExpiresAt.Sub(c.opts.Now()))
}

// Known browsers: how long one is remembered, and as how many people.
const (
	knownDuration = 400 * 24 * time.Hour
	maxKnown      = 8
)

// KnownBrowser returns which of the browsers it is that have signed in as somebody, and
// whether it has done so as the one who has this address (compared form); an
// empty address asks for anybody. Empty: it has not.
func (c *Cookies) KnownBrowser(r *http.Request, address string) (id string) {
	v, _ := c.open(r, c.opts.Name+"-known")
	if address != "" && !slices.Contains(strings.Fields(v["people"]), fingerprint(address)) {
		return ""
	}
	return v["id"]
}

// SetKnown remembers that the browser has signed in as the one who has this
// address. It lets nobody in: see limits.go for what it is good for.
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

// Last returns the address (compared form) that the browser signed in as last, to fill
// in the sign-in page; empty if there is none, or if its person has signed out.
func (c *Cookies) Last(r *http.Request) string {
	v, _ := c.open(r, c.opts.Name+"-known")
	return v["last"]
}

// ForgetLast has the browser forget that address.
func (c *Cookies) ForgetLast(w http.ResponseWriter, r *http.Request) {
	v, _ := c.open(r, c.opts.Name+"-known")
	if v["last"] == "" {
		return
	}
	delete(v, "last")
	_ = c.save(w, r, c.opts.Name+"-known", v, knownDuration) // shorter than it was
}

// fingerprint stands for an address in a cookie.
func fingerprint(address string) string { return Hash(address)[:16] }

// Message tells a person, on the next page, what their last action did.
type Message struct {
	Text    string // empty: there is none
	Warning bool   // it did not do all that was wanted
}

// SetMessage keeps a message for the next page that the browser shows.
func (c *Cookies) SetMessage(w http.ResponseWriter, r *http.Request, m Message) error {
	values := map[string]string{"text": m.Text, "warning": strconv.FormatBool(m.Warning)}
	return c.save(w, r, c.opts.Name+"-message", values, time.Minute)
}

// TakeMessage returns the message kept, once.
func (c *Cookies) TakeMessage(w http.ResponseWriter, r *http.Request) Message {
	v, _ := c.open(r, c.opts.Name+"-message")
	if v["text"] != "" {
		c.clear(w, r, c.opts.Name+"-message")
	}
	return Message{Text: v["text"], Warning: v["warning"] == "true"}
}

// Seal encrypts and signs a text that a browser or a program hands back, such as
// a cursor, with the keys of the cookies. purpose tells texts of different kinds
// apart. Empty text, or text too long to be handed back, is sealed as empty.
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

// Unseal returns the text; ok is false for one that was not sealed here.
func (c *Cookies) Unseal(purpose, sealed string) (text string, ok bool) {
	text, ok = c.decode(purpose, sealed)["text"]
	return text, ok
}

// open returns the values of the first cookie of a name that can be opened, empty if
// there is none, and whether there was a cookie of that name. A browser sends several
// where they were set for different paths or domains.
func (c *Cookies) open(r *http.Request, name string) (values map[string]string, had bool) {
	for _, cookie := range r.CookiesNamed(name) {
		if values := c.decode(name, cookie.Value); len(values) > 0 {
			return values, true
		}
		had = true
	}
	return map[string]string{}, had
}

// decode opens what save has written. It does so without a sessions.Session,
// because it is done for every request.
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
		s.Values[k] = v
	}
	return c.store.Save(r, w, s)
}

func (c *Cookies) clear(w http.ResponseWriter, r *http.Request, name string) {
	// An empty cookie that is over: nothing in it that could fail to encode.
	_ = c.save(w, r, name, nil, -time.Second)
}

// querySerializer writes a session's values as a query string: securecookie's own
// gob would let a cookie name Go types.
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
