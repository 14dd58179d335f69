package apps

import (
	"context"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/session"
)

// Explanation says for administrators whether and why a user may open an app.
type Explanation struct {
	App      App
	Decision Decision // of Decide; NotSignedIn if no user has the address
	Text     string
	Action   string    // how to change it; empty if the user may open the app
	Asked    time.Time // when they requested the access that no one has decided about; zero if there's no such request
	SignIn   SignIn    // set by callers; see openid.Clients.Explain
}

// SignIn says how an app signs users in and what last happened to a user there.
type SignIn struct {
	Uses         []string  // forward_auth if it has an address, openid if it has a client
	Text         string    // empty if there is nothing to say beside the decision
	At           time.Time // the last sign-in with OpenID Connect; zero if the audit log has none
	EndedAt      time.Time // when that sign-in ended before its session; zero if it didn't
	EndedBecause string    // why; empty if it didn't
}

// Allowed reports whether the user may open the app.
func (e Explanation) Allowed() bool { return e.Decision == Allowed }

// Explain explains the decision about a user and an app. user is nil if no user has the
// address that was asked about. Errors: directory.ErrNotFound if the app or the user no longer
// exists, directory.ErrUnavailable.
func (s *Service) Explain(ctx context.Context, a App, user *directory.User) (Explanation, error) {
	if user == nil {
		return Explanation{
			App: a, Decision: NotSignedIn, Text: "No one on the list has this address, so it can't open " + a.Name + ".", Action: "Invite them.",
		}, nil
	}
	f, err := s.store.RequestFacts(ctx, a.ID, user.ID)
	if err != nil {
		return Explanation{}, err
	}
	return explain(f, s.now()), nil
}

// explain explains the decision that Decide makes, and whether a request for access is pending.
func explain(f RequestFacts, now time.Time) Explanation {
	e := explainDecision(f.App, f.User, f.Memberships, now)
	if f.Request == nil || f.Request.State != RequestPending {
		return e
	}
	r := *f.Request
	r.App, r.User, r.Memberships = f.App, f.User, f.Memberships
	e.Asked = r.CreatedAt
	e.Text += " They requested access on " + humanize.FormatTime(e.Asked) + ", and no one has decided yet."
	if e.Decision != Allowed && e.Decision != SwitchedOff && r.Obstacle(now) == NoObstacle {
		e.Action = "Approve or deny their request."
	}
	return e
}

func explainDecision(a App, u directory.User, memberships []directory.Membership, now time.Time) Explanation {
	e := Explanation{App: a, Decision: Decide(a, u, memberships, now)}
	can, cannot := u.DisplayName()+" can open "+a.Name+": ", u.DisplayName()+" can't open "+a.Name+": "
	groups := joinNames(a.Groups)
	switch {
	case e.Decision == SwitchedOff:
		e.Text, e.Action = cannot+"it's switched off.", "Switch the app on."
	case e.Decision == Suspended:
		e.Text, e.Action = cannot+"they're suspended.", "Restore their access."
	case e.Decision == Allowed && a.Audience == Everyone:
		e.Text = can + "it's open to everyone on the list."
	case e.Decision == Allowed:
		e.Text = can + "they're in " + describeMembership(a, memberships, now) + "."
	case e.Decision == MembershipEnded:
		m := lastMembership(a, memberships)
		e.Text = cannot + "their membership in " + m.GroupName + " ended on " + humanize.FormatEnd(m.Until) + "."
		e.Action = "Renew the membership."
	case len(a.Groups) == 0:
		e.Text, e.Action = cannot+"no group opens it.", "Choose a group that opens the app."
	case len(a.Groups) == 1:
		e.Text, e.Action = cannot+"it opens to "+groups+", and they aren't in it.", "Add them to "+groups+"."
	default:
		e.Text, e.Action = cannot+"it opens to "+groups+", and they're in none of them.", "Add them to one of these groups."
	}
	return e
}

// joinNames returns the names of groups as in "Board, Staff or Team".
func joinNames(groups []directory.Group) string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.Name
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// describeMembership returns the membership that opens an app longest, as in "Staff until 5
// March 2026".
func describeMembership(a App, memberships []directory.Membership, now time.Time) string {
	var best directory.Membership
	for _, m := range memberships {
		if !a.OpensTo(m.GroupID) || !m.Active(now) {
			continue
		}
		if m.Until.IsZero() {
			return m.GroupName
		}
		if best.GroupID == "" || m.Until.After(best.Until) {
			best = m
		}
	}
	return best.GroupName + " until " + humanize.FormatEnd(best.Until)
}

// lastMembership returns the membership that opened an app and ended last.
func lastMembership(a App, memberships []directory.Membership) directory.Membership {
	var last directory.Membership
	for _, m := range memberships {
		if a.OpensTo(m.GroupID) && m.Until.After(last.Until) {
			last = m
		}
	}
	return last
}

// ExplanationJSON is an Explanation as programs see it, in the API and on the command line.
type ExplanationJSON struct {
	ID       string `json:"id"` // of the app
	Name     string `json:"name"`
	CanOpen  bool   `json:"can_open"`
	Decision string `json:"decision"` // one of the decisions, or not_listed
	Text     string `json:"text"`
	Action   string `json:"action"`

	RequestedAt *time.Time `json:"requested_at,omitempty"` // when they requested access; missing unless the request is pending

	Uses         []string   `json:"uses"`
	SignedInAt   *time.Time `json:"signed_in_at,omitempty"`
	EndedAt      *time.Time `json:"ended_at,omitempty"`
	EndedBecause string     `json:"ended_because,omitempty"`
}

// DiagnosisJSON is the diagnosis of a user's sign-in and, if an app was named, of their access
// to it.
type DiagnosisJSON struct {
	session.DiagnosisJSON
	App *ExplanationJSON `json:"app,omitempty"`
}

// NewExplanationJSON converts an explanation.
func NewExplanationJSON(e Explanation) ExplanationJSON {
	decision := string(e.Decision)
	if e.Decision == NotSignedIn {
		decision = "not_listed"
	}
	j := ExplanationJSON{ID: e.App.ID, Name: e.App.Name, CanOpen: e.Allowed(), Decision: decision, Text: e.Text, Action: e.Action}
	if !e.Asked.IsZero() {
		j.RequestedAt = &e.Asked
	}
	j.Uses, j.EndedBecause = append([]string{}, e.SignIn.Uses...), e.SignIn.EndedBecause
	if !e.SignIn.At.IsZero() {
		j.SignedInAt = &e.SignIn.At
	}
	if !e.SignIn.EndedAt.IsZero() {
		j.EndedAt = &e.SignIn.EndedAt
	}
	return j
}
