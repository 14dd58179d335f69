package stytchlocal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// linkParams is a link to be made.
type linkParams struct {
	kind     string
	lifetime time.Duration
	by       string // who invites, on one line; may be empty
	details  linkDetails
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
func (s *Server) mailLink(ctx context.Context, q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, o linkParams) (Mail, error) {
	valid := o.lifetime
	if to.ExpiresAt > 0 { // the address itself goes then
		valid = min(valid, time.Duration(to.ExpiresAt-s.now())*time.Microsecond)
	}
	token, err := s.makeLink(ctx, q, user.UserID, to.EmailID, s.now()+valid.Microseconds(), o)
	if err != nil {
		return Mail{}, err
	}
	l := mailData{
		mailContent: signIn, To: to.Email, Name: user.Name, Link: s.linkURL(token), Valid: formatLifetime(valid),
		Home: s.appURL(o.details.RedirectURL), SameBrowser: o.details.CodeChallenge != "",
	}
	if o.kind == kindInvite {
		l.mailContent, l.By = invitation, o.by
	}
	return s.queueMail(ctx, q, l)
}

// linkURL is the address in the mail.
func (s *Server) linkURL(token string) string {
	return s.opts.BaseURL + redirectPath + "?" + url.Values{
		"public_token": {s.project.PublicToken}, "stytch_token_type": {"magic_links"}, "token": {token},
	}.Encode()
}
