package session_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

func TestDiagnose_SecondFactor(t *testing.T) {
	t.Parallel()
	totp := factor.Factor{ID: "totp", Kind: factor.TOTP, ProviderID: "totp-of-stytch-of-ada@example.com", Name: "Authenticator app", CodesLeft: 7}
	for name, row := range map[string]struct {
		required factor.Requirement
		has      bool
		before   func(t *testing.T, f *fixture, sess session.Session)
		want     map[string]string // codes and parts of their text; "" that they are missing
	}{
		"not required, none":     {factor.Off, false, nil, map[string]string{session.FoundFactorMissing: "", session.FoundFactorNeeded: ""}},
		"required of others":     {factor.Admins, false, nil, map[string]string{session.FoundFactorMissing: ""}},
		"required, none":         {factor.Everyone, false, nil, map[string]string{session.FoundFactorMissing: "have set up none"}},
		"not required, one":      {factor.Off, true, nil, map[string]string{session.FoundFactorNeeded: "an authenticator app with 7 recovery codes"}},
		"a wrong code":           {factor.Off, true, tries(1), map[string]string{session.FoundFactorRefused: "(authenticator app: code is wrong)", session.FoundFactorLocked: ""}},
		"as many as are allowed": {factor.Off, true, tries(20), map[string]string{session.FoundFactorLocked: "They must wait for 1 minute."}},
		"then a recovery code": {factor.Off, true, func(t *testing.T, f *fixture, sess session.Session) {
			tries(1)(t, f, sess)
			f.stytch.code = "abcd-efgh-ijkl"
			if err := f.ConfirmWithRecoveryCode(t.Context(), sess, "token-1", "abcd-efgh-ijkl", session.Browser{}); err != nil {
				t.Fatal(err)
			}
		}, map[string]string{session.FoundRecoveryCode: "They used a recovery code on 1 March 2026", session.FoundFactorRefused: "", session.FoundFactorNeeded: "6 recovery codes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t, func(o *session.Options) { o.Factors, o.Limits = factor.Policy{SecondFactor: row.required}, true })
			ada := f.put("ada@example.com", directory.Member, directory.Active)
			sess, _ := f.signIn("ada@example.com")
			if row.has {
				app := totp
				app.UserID, app.CreatedAt = ada.ID, f.clock.now()
				if err := f.db.AddFactor(t.Context(), factor.Addition{
					Factor: app, SessionHash: sess.TokenHash, Event: event.New(event.FactorAdded, f.clock.now(), ada.ID, ada.Email.Normalized, ""),
				}, func([]factor.Factor) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
			if row.before != nil {
				row.before(t, f, sess)
			}
			_, findings, err := f.Diagnose(t.Context(), ada.Email)
			if err != nil {
				t.Fatal(err)
			}
			for code, text := range row.want {
				i := slices.IndexFunc(findings, func(f session.Finding) bool { return f.Code == code })
				if found := i >= 0; found != (text != "") || found && (!strings.Contains(findings[i].Text, text) || findings[i].Blocks) {
					t.Errorf("%s: want %q in %+v", code, text, findings)
				}
			}
		})
	}
}

// tries enters n wrong codes of an authenticator app, each in a session of its own.
func tries(n int) func(t *testing.T, f *fixture, sess session.Session) {
	return func(t *testing.T, f *fixture, sess session.Session) {
		for i := range n {
			in := sess
			in.TokenHash += strings.Repeat("x", i)
			if err := f.ConfirmWithTOTP(t.Context(), in, "token-1", "000000", session.Browser{}); err == nil {
				t.Error("a wrong code was accepted")
			}
		}
	}
}
