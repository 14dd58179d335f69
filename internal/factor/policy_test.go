package factor

import (
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestPolicy_Check(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration, kind Kind) Proofs { return Proofs("").With(kind, noon.Add(-d)) }
	needs, fresh, stale := Standing{NeedsSecondFactor: true}, Standing{Fresh: true}, Standing{}
	for name, c := range map[string]struct {
		policy  Requirement
		subject Subject
		want    Standing
	}{
		"a link just now":                                    {Off, Subject{Proofs: ago(0, EmailLink)}, fresh},
		"a link nine minutes ago":                            {Off, Subject{Proofs: ago(9*time.Minute, EmailLink)}, fresh},
		"a link ten minutes ago":                             {Off, Subject{Proofs: ago(10*time.Minute, EmailLink)}, stale},
		"a link in the future, after the clock was set back": {Off, Subject{Proofs: ago(-time.Hour, EmailLink)}, stale},
		"a link long ago, and a code just now":               {Off, Subject{Proofs: ago(time.Hour, EmailLink).With(EmailCode, noon)}, fresh},
		"a session of an earlier release":                    {Off, Subject{}, stale},
		"a session of an earlier release, which needs more":  {Everyone, Subject{}, needs},
		"unreadable proofs":                                  {Off, Subject{Proofs: "passkey@soon palm@1 @ x"}, stale},
		"a member where administrators need more":            {Admins, Subject{Proofs: ago(0, EmailLink)}, fresh},
		"an administrator by link where they need more":      {Admins, Subject{Proofs: ago(0, EmailLink), Admin: true}, needs},
		"by another provider where everyone needs more":      {Everyone, Subject{Proofs: ago(0, OAuth)}, needs},
		"by two mailbox proofs where everyone needs more":    {Everyone, Subject{Proofs: ago(0, EmailLink).With(EmailCode, noon)}, needs},
		"by passkey where everyone needs more":               {Everyone, Subject{Proofs: ago(0, Passkey)}, fresh},
		"by link and app where everyone needs more":          {Everyone, Subject{Proofs: ago(0, EmailLink).With(TOTP, noon)}, fresh},
		"by recovery code where everyone needs more":         {Everyone, Subject{Proofs: ago(0, EmailLink).With(RecoveryCode, noon)}, fresh},
		"an old app code isn't freshened by a mailbox":       {Everyone, Subject{Proofs: ago(time.Hour, TOTP).With(EmailCode, noon)}, stale},
		"whoever has an app is asked for it":                 {Off, Subject{Proofs: ago(0, EmailLink), HasSecondFactor: true}, needs},
		"and is done with it":                                {Off, Subject{Proofs: ago(0, EmailLink).With(TOTP, noon), HasSecondFactor: true}, fresh},
		"or with a passkey":                                  {Off, Subject{Proofs: ago(0, Passkey), HasSecondFactor: true}, fresh},
	} {
		if got := (Policy{c.policy}).Check(c.subject, noon); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestPolicy_MaySetUp(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration, kind Kind) Proofs { return Proofs("").With(kind, noon.Add(-d)) }
	for name, c := range map[string]struct {
		policy    Requirement
		subject   Subject
		hasFactor bool
		want      bool
	}{
		"right after signing in by link":                              {Off, Subject{Proofs: ago(0, EmailLink)}, false, true},
		"ten minutes after it":                                        {Off, Subject{Proofs: ago(10*time.Minute, EmailLink)}, false, false},
		"in a session of an earlier release":                          {Off, Subject{}, false, false},
		"a first one where everyone needs one":                        {Everyone, Subject{Proofs: ago(0, EmailLink)}, false, true},
		"a first one there, ten minutes after the link":               {Everyone, Subject{Proofs: ago(10*time.Minute, EmailLink)}, false, false},
		"a first one after the only one was removed":                  {Everyone, Subject{Proofs: ago(time.Hour, TOTP).With(EmailCode, noon), HasSecondFactor: true}, false, true},
		"another one by a mailbox alone where everyone needs one":     {Everyone, Subject{Proofs: ago(0, EmailLink)}, true, false},
		"another one by a mailbox alone, with an app":                 {Off, Subject{Proofs: ago(0, EmailLink), HasSecondFactor: true}, true, false},
		"another one with a fresh passkey":                            {Everyone, Subject{Proofs: ago(0, Passkey)}, true, true},
		"another one with a passkey of an hour ago":                   {Everyone, Subject{Proofs: ago(time.Hour, Passkey)}, true, false},
		"another one with an old passkey and a fresh mailbox proof":   {Everyone, Subject{Proofs: ago(time.Hour, Passkey).With(EmailCode, noon)}, true, false},
		"another one by a mailbox where nobody needs a second factor": {Off, Subject{Proofs: ago(0, EmailLink)}, true, true},
	} {
		if got := (Policy{c.policy}).MaySetUp(c.subject, c.hasFactor, noon); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestProofs_KeepTheLatestOfEachKind(t *testing.T) {
	t.Parallel()
	p := Proofs("")
	for i, kind := range []Kind{EmailLink, TOTP, EmailLink, Passkey} {
		p = p.With(kind, noon.Add(time.Duration(i)*time.Second))
	}
	want := []Proof{{Passkey, noon.Add(3 * time.Second)}, {EmailLink, noon.Add(2 * time.Second)}, {TOTP, noon.Add(time.Second)}}
	if got := slices.Collect(p.All()); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestProofs_FitTheColumn(t *testing.T) {
	t.Parallel()
	p := Proofs("")
	for _, kind := range []Kind{EmailLink, EmailCode, OAuth, Passkey, TOTP, RecoveryCode, HostLink} {
		p = p.With(kind, noon.AddDate(1000, 0, 0))
	}
	if len(p) > 255 || len(slices.Collect(p.All())) != 7 {
		t.Errorf("%d bytes: %s", len(p), p)
	}
}

func TestParseRecoveryCode(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"ab12-cd34-ef56": "ab12-cd34-ef56", " AB12CD34EF56 ": "ab12-cd34-ef56", "ab12 cd34 ef56": "ab12-cd34-ef56",
		"": "", "ab12-cd34-ef5": "", "ab12-cd34-ef567": "", "ab12-cd34-ef5é": "", "ab12_cd34_ef56": "", "123456": "",
	} {
		if got, err := ParseRecoveryCode(typed); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", typed, got, err)
		}
	}
}
