package stytchlocal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// linkParams is a link to be made.
type linkParams struct {
	kind      string
	lifetime  time.Duration
	invitedBy string // the name of the person who invites; may be empty
	details   linkDetails
}

// linkDetails is what nobody looks links up by; JSON in the row.
type linkDetails struct {
	RedirectURL   string      `json:"redirect_url,omitempty"`
	CodeChallenge string      `json:"code_challenge,omitempty"`
	Attributes    *attributes `json:"attributes,omitempty"` // of the browser that asked
}

// makeLink stores a link and returns its token, which is nowhere else.
func (s *Server) makeLink(ctx context.Context, q *dbsqlc.Queries, userID, methodID string, expiresAt int64, o linkParams) (string, error) {
	details, err := json.Marshal(o.details)
	if err != nil {
		return "", err
	}
	token := newToken()
	err = q.InsertLink(ctx, dbsqlc.InsertLinkParams{
		TokenHash: hashToken(token), MethodID: methodID, UserID: userID, Kind: o.kind,
		Details: string(details), CreatedAt: s.now(), ExpiresAt: expiresAt,
	})
	if err != nil {
		return "", fmt.Errorf("insert link: %w", err)
	}
	return token, nil
}

// mailLink makes a link for a user's address and the mail with it. The mail must
// be handed to deliver after the commit.
func (s *Server) mailLink(ctx context.Context, q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, o linkParams) (queuedMail, error) {
	valid := o.lifetime
	if to.ExpiresAt > 0 { // the address itself goes then
		valid = min(valid, time.Duration(to.ExpiresAt-s.now())*time.Microsecond)
	}
	token, err := s.makeLink(ctx, q, user.UserID, to.EmailID, s.now()+valid.Microseconds(), o)
	if err != nil {
		return queuedMail{}, err
	}
	return s.queueLink(ctx, q, mail.Link{
		Invitation: o.kind == kindInvite, To: to.Email, Name: user.Name.full(), InvitedBy: o.invitedBy, URL: s.linkURL(token), Lifetime: valid,
		Home: s.appURL(o.details.RedirectURL), SameBrowser: o.details.CodeChallenge != "",
	})
}

// linkURL is the address in the mail.
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

// inviter returns the name of the person who invites, if the app says so in the trusted
// metadata that it sends with this invitation.
func inviter(trusted json.RawMessage) string {
	var metadata struct {
		InvitedBy string `json:"invited_by"`
	}
	if err := json.Unmarshal(trusted, &metadata); err != nil {
		return "" // missing, or not a string
	}
	return metadata.InvitedBy
}
