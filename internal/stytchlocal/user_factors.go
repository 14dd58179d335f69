package stytchlocal

import (
	"context"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// loadFactors reads the authenticator apps, passkeys and OAuth accounts of users and adds
// each to the user whom a function returns for its id.
func (s *Server) loadFactors(ctx context.Context, q *dbsqlc.Queries, userIDs []string, user func(id string) *account) error {
	totps, err := q.ListTOTPsOfUsers(ctx, userIDs)
	if err != nil {
		return wrap("list totps", err)
	}
	for _, t := range totps {
		if t.ExpiresAt == 0 || t.ExpiresAt > s.now() {
			u := user(t.UserID)
			u.totps = append(u.totps, totpObject{TOTPID: t.TotpID, Verified: t.VerifiedAt > 0})
		}
	}
	registrations, err := q.ListWebAuthnRegistrationsOfUsers(ctx, userIDs)
	if err != nil {
		return wrap("list passkeys", err)
	}
	for _, row := range registrations {
		r, err := openRegistration(row)
		if err != nil {
			return err
		}
		u := user(row.UserID)
		u.webauthnRegistrations = append(u.webauthnRegistrations, r.object())
	}
	providers, err := q.ListOAuthRegistrationsOfUsers(ctx, userIDs)
	if err != nil {
		return wrap("list providers", err)
	}
	for _, row := range providers {
		u := user(row.UserID)
		u.providers = append(u.providers, newProviderObject(row))
	}
	return nil
}
