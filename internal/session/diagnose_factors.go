package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/limit"
)

// checkFactors reports whether the user needs a second factor, and what became of the last
// tries of one.
func (d *diagnosis) checkFactors(ctx context.Context) error {
	if d.user == nil || d.user.Status == directory.Suspended {
		return nil
	}
	have, err := d.store.ListFactors(ctx, d.user.ID)
	if err != nil {
		return err
	}
	app, hasApp := factor.FindTOTP(have)
	required := d.opts.Factors.Requires(factor.Subject{Admin: d.user.Role == directory.Admin, HasSecondFactor: hasApp})
	if !required {
		return nil
	}
	if len(have) == 0 {
		d.add(Finding{
			Code: FoundFactorMissing, Text: "They need a second factor to sign in, and have set up none.",
			Action: "They set one up right after signing in by email.",
		})
	} else {
		d.add(Finding{Code: FoundFactorNeeded, Text: describeFactors(have, app, hasApp), Action: "If they have lost it, remove their sign-in methods."})
	}
	for _, check := range []func(context.Context) error{d.checkFactorLimits, d.checkRefusedFactor, d.checkRecoveryCode} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// describeFactors says what the user needs to sign in.
func describeFactors(have []factor.Factor, app factor.Factor, hasApp bool) string {
	text := "They need a second factor to sign in, and have " + factor.Summary(have)
	if hasApp {
		text += " with " + humanize.Plural(app.CodesLeft, "recovery code")
	}
	return text + "."
}

// checkFactorLimits checks whether a new session would be refused a code.
func (d *diagnosis) checkFactorLimits(ctx context.Context) error {
	var tooMany *RateLimitError
	err := d.peek(ctx, anyRefusal, limit.NewBucket("second-factors-of-user", d.user.ID, secondFactorsPerUser))
	if !errors.As(err, &tooMany) {
		return err
	}
	d.add(Finding{
		Code: FoundFactorLocked, Text: fmt.Sprintf("Too many codes of their authenticator app were tried. They must wait for %s.", humanize.FormatWait(tooMany.After)),
		Action: "If it wasn't them, someone else can read their email.",
	})
	return nil
}

// checkRefusedFactor reports a factor that was refused since the user last proved one.
func (d *diagnosis) checkRefusedFactor(ctx context.Context) error {
	refused, err := d.lastEvent(ctx, event.ConfirmRefused)
	if err != nil || refused == nil {
		return err
	}
	confirmed, err := d.lastEvent(ctx, event.Confirmed)
	if err != nil || confirmed != nil && confirmed.ID > refused.ID {
		return err
	}
	d.add(Finding{
		Code: FoundFactorRefused, Text: "On " + humanize.FormatTime(refused.At) + " a second factor of theirs was refused (" + refused.Reason + ").",
		Action: "Ask them to check that the clock of their phone is right.",
	})
	return nil
}

// checkRecoveryCode reports a recovery code among the last confirmations.
func (d *diagnosis) checkRecoveryCode(ctx context.Context) error {
	page, _, err := d.store.ListEvents(ctx, event.Query{Kind: event.Confirmed, About: d.email.Normalized, Limit: event.DefaultLimit})
	if err != nil {
		return err
	}
	for _, e := range page {
		if e.Reason == confirmedBy(factor.RecoveryCode) {
			d.add(Finding{Code: FoundRecoveryCode, Text: "They used a recovery code on " + humanize.FormatTime(e.At) + "."})
			return nil
		}
	}
	return nil
}
