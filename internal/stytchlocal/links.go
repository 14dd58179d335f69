package stytchlocal

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// The kinds of links. The API has a redirect URL for each.
const (
	kindLogin    = "login"
	kindSignup   = "signup"
	kindInvite   = "invite"
	kindEmbedded = "embedded" // returned to the caller, not emailed
	kindDecoy    = "decoy"    // see Decoy
)

// defaultLifetimes are the lifetimes of links for which the caller sets none.
var defaultLifetimes = map[string]time.Duration{
	kindLogin: time.Hour, kindSignup: 7 * 24 * time.Hour, kindInvite: time.Hour, kindEmbedded: time.Hour,
}

type linkParams struct {
	kind      string
	lifetime  time.Duration
	invitedBy string // the name of the inviting person; may be empty
	details   linkDetails
}

// linkDetails are the fields without an index. They are stored as JSON.
type linkDetails struct {
	RedirectURL   string      `json:"redirect_url,omitempty"`
	CodeChallenge string      `json:"code_challenge,omitempty"`
	Attributes    *attributes `json:"attributes,omitempty"` // of the browser that requested the link
}

// newLinkParams checks the redirect URL and the lifetime of a link, both of which may be
// missing.
func (s *Server) newLinkParams(kind, redirectURL string, minutes *int64, challenge string, attrs *attributes) (linkParams, error) {
	redirectURL, err := s.redirectURL(kind, redirectURL)
	if err != nil {
		return linkParams{}, err
	}
	lifetime, err := linkLifetime(kind, minutes)
	if err != nil {
		return linkParams{}, err
	}
	return linkParams{
		kind: kind, lifetime: lifetime,
		details: linkDetails{RedirectURL: redirectURL, CodeChallenge: challenge, Attributes: attrs},
	}, nil
}

// linkLifetime returns a link's lifetime. Minutes may be nil, in which case it is the
// default of the kind.
func linkLifetime(kind string, minutes *int64) (time.Duration, error) {
	if minutes == nil {
		return defaultLifetimes[kind], nil
	}
	if *minutes < 5 || *minutes > 10080 {
		return 0, errInvalidExpiration
	}
	return time.Duration(*minutes) * time.Minute, nil
}

// checkRedirectURL refuses an address that a link may not lead to. An empty address stands
// for the project's default.
func (s *Server) checkRedirectURL(kind, address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > 2000 {
		return newError(http.StatusBadRequest, "invalid_"+kind+"_magic_link_url", "The redirect URL is not a valid URL.")
	}
	if slices.Contains(s.opts.RedirectURLs, address) || u.Scheme == "http" && u.Hostname() == "localhost" {
		return nil
	}
	return errRedirectNotListed
}

// redirectURL returns a checked address or, if it is empty, the project's only redirect
// URL.
func (s *Server) redirectURL(kind, address string) (string, error) {
	switch {
	case address != "":
		return address, nil
	case len(s.opts.RedirectURLs) == 0:
		return "", newError(http.StatusBadRequest, "no_"+kind+"_redirect_urls_set", "The project has no redirect URL of this kind.")
	case len(s.opts.RedirectURLs) > 1:
		return "", newError(http.StatusBadRequest, "no_default_"+kind+"_redirect_url_set", "The project has no default redirect URL of this kind.")
	}
	return s.opts.RedirectURLs[0], nil
}

// createLink stores a link and returns its token, which is not stored.
func (s *Server) createLink(ctx context.Context, q *dbsqlc.Queries, userID, methodID string, expiresAt int64, p linkParams) (string, error) {
	details, err := json.Marshal(p.details)
	if err != nil {
		return "", err
	}
	token := newToken()
	err = q.InsertLink(ctx, dbsqlc.InsertLinkParams{
		TokenHash: hashToken(token), MethodID: methodID, UserID: userID, Kind: p.kind,
		Details: string(details), CreatedAt: s.now(), ExpiresAt: expiresAt,
	})
	return token, wrap("insert link", err)
}

// queueLink creates a link for a user's address and the email with it. The caller passes
// the email to sendQueued after the commit.
func (s *Server) queueLink(ctx context.Context, q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, p linkParams) (queuedMail, error) {
	lifetime := s.within(to, p.lifetime)
	token, err := s.createLink(ctx, q, user.UserID, to.EmailID, s.now()+lifetime.Microseconds(), p)
	if err != nil {
		return queuedMail{}, err
	}
	return s.queueMail(ctx, q, mail.Link{
		Invitation: p.kind == kindInvite, To: to.Email, Name: user.Name.full(), InvitedBy: p.invitedBy, URL: s.linkURL(token), Lifetime: lifetime,
		Home: s.appURL(p.details.RedirectURL), SameBrowser: p.details.CodeChallenge != "",
	})
}

func (s *Server) linkURL(token string) string {
	return s.opts.BaseURL + redirectPath + "?" + url.Values{
		"public_token": {s.project.PublicToken}, "stytch_token_type": {"magic_links"}, "token": {token},
	}.Encode()
}

// appURL returns the address of the app that a link leads to: the program itself, which
// may be below a path of its host, or another app that uses it as its Stytch.
func (s *Server) appURL(redirectURL string) string {
	u, err := url.Parse(redirectURL)
	if err != nil || redirectURL == s.opts.BaseURL || strings.HasPrefix(redirectURL, s.opts.BaseURL+"/") {
		return s.opts.BaseURL
	}
	return u.Scheme + "://" + u.Host
}
