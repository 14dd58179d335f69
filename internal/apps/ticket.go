package apps

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Ticket carries a browser from an app's host to Guestlist's. It is sealed, so that it can be
// a parameter of an address: browsers can neither read nor change it.
type Ticket struct {
	AppID      string
	Path       string // where in the app the browser was going, with the query; at most MaxReturnPath bytes
	CookieHash string // of the browser's cookie at the app; empty if it has none, in which case it must begin at the app
	Problem    Problem
	Round      int // how often the browser has come with another cookie since it began
	ExpiresAt  time.Time
}

// Problem says why a browser is sent to Guestlist's host to be shown a page.
type Problem string

// The problems.
const (
	NoProblem      Problem = ""        // the ticket is a way in
	ProblemCode    Problem = "code"    // the code could not be redeemed
	ProblemCookie  Problem = "cookie"  // the browser sent no cookie to the app
	ProblemLoop    Problem = "loop"    // the browser was signed in to the app several times and lost its cookie
	ProblemRefused Problem = "refused" // the user may not open the app
)

// MaxReturnPath is the maximum length of Ticket.Path and Code.Path. A longer path is "/".
// nginx refuses an answer whose headers, with a ticket among them, are longer than a memory
// page, by default.
const MaxReturnPath = 2 << 10

// TicketLifetime is how long a ticket is valid.
const TicketLifetime = 10 * time.Minute

// ReturnPath returns where in an app a browser goes after it was signed in, given the target
// of its request.
func ReturnPath(target string) string {
	if len(target) > MaxReturnPath || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, OwnPath) || strings.ContainsAny(target, "\r\n") {
		return "/"
	}
	return target
}

// OwnPath begins the paths of an app's host that Guestlist answers.
const OwnPath = "/.guestlist/"

// Errors of Tickets.Open.
var (
	ErrTicket        = errors.New("this ticket was not sealed here")
	ErrTicketExpired = errors.New("this ticket has expired")
)

// Tickets seals and opens tickets. Cookies are sealed in another way, because a ticket has to
// be short: this one is a third longer than its content.
type Tickets struct {
	ciphers []cipher.AEAD // the first seals, all open
	now     func() time.Time
}

// NewTickets returns Tickets with the keys of the cookies, of which at least one is required.
func NewTickets(keys []string, now func() time.Time) (*Tickets, error) {
	if len(keys) == 0 {
		return nil, errors.New("apps: tickets need a key")
	}
	t := &Tickets{now: now}
	for _, key := range keys {
		derived, err := hkdf.Key(sha256.New, []byte(key), nil, "guestlist ticket v1", 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		t.ciphers = append(t.ciphers, aead)
	}
	return t, nil
}

// New returns a ticket that expires after TicketLifetime.
func (t *Tickets) New(a App, path, cookieHash string) Ticket {
	return Ticket{AppID: a.ID, Path: ReturnPath(path), CookieHash: cookieHash, ExpiresAt: t.now().Add(TicketLifetime)}
}

// Seal returns a ticket as a text of letters, digits, dashes and underscores.
func (t *Tickets) Seal(k Ticket) string {
	return t.seal("ticket", strings.Join([]string{
		k.AppID, k.CookieHash, string(k.Problem), strconv.Itoa(k.Round), strconv.FormatInt(k.ExpiresAt.Unix(), 10), k.Path,
	}, "\n"))
}

// Open returns a sealed ticket. An expired one is returned with ErrTicketExpired. Other error:
// ErrTicket.
func (t *Tickets) Open(sealed string) (Ticket, error) {
	text, err := t.open("ticket", sealed)
	if err != nil {
		return Ticket{}, err
	}
	fields := strings.SplitN(text, "\n", 6)
	if len(fields) != 6 {
		return Ticket{}, ErrTicket
	}
	round, err := strconv.Atoi(fields[3])
	if err != nil {
		return Ticket{}, ErrTicket
	}
	expires, err := strconv.ParseInt(fields[4], 10, 64)
	if err != nil {
		return Ticket{}, ErrTicket
	}
	k := Ticket{
		AppID: fields[0], CookieHash: fields[1], Problem: Problem(fields[2]), Round: round,
		ExpiresAt: time.Unix(expires, 0).UTC(), Path: ReturnPath(fields[5]),
	}
	if !t.now().Before(k.ExpiresAt) {
		return k, ErrTicketExpired
	}
	return k, nil
}

// reportLifetime is how long a report can be read.
const reportLifetime = time.Minute

// SealReport seals what a guard has received, for a page on Guestlist's host that shows it.
func (t *Tickets) SealReport(content string) string {
	return t.seal("report", strconv.FormatInt(t.now().Add(reportLifetime).Unix(), 10)+"\n"+content)
}

// OpenReport returns the content of a sealed report. Errors: those of Open.
func (t *Tickets) OpenReport(sealed string) (string, error) {
	text, err := t.open("report", sealed)
	if err != nil {
		return "", err
	}
	expires, content, _ := strings.Cut(text, "\n")
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return "", ErrTicket
	}
	if !t.now().Before(time.Unix(seconds, 0)) {
		return "", ErrTicketExpired
	}
	return content, nil
}

// seal encrypts and authenticates a text. Texts of different kinds can't be confused.
func (t *Tickets) seal(kind, text string) string {
	return base64.RawURLEncoding.EncodeToString(t.ciphers[0].Seal(nil, nil, []byte(text), []byte(kind)))
}

func (t *Tickets) open(kind, sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || strings.ContainsAny(sealed, "\r\n") { // which are ignored
		return "", ErrTicket
	}
	for _, aead := range t.ciphers {
		if text, err := aead.Open(nil, nil, raw, []byte(kind)); err == nil {
			return string(text), nil
		}
	}
	return "", ErrTicket
}

// SealRequest seals a request of an OpenID Connect client, which is resumed once its user has signed
// in. It keeps its own time.
func (t *Tickets) SealRequest(text string) string { return t.seal("openid", text) }

// OpenRequest returns a sealed request. Error: ErrTicket.
func (t *Tickets) OpenRequest(sealed string) (string, error) { return t.open("openid", sealed) }
