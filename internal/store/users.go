package store

import (
	"context"
	"database/sql"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/userio"
)

// The interfaces that a Store implements.
var (
	_ directory.Store   = (*Store)(nil)
	_ session.Store     = (*Store)(nil)
	_ outbox.Store      = (*Store)(nil)
	_ reconcile.Store   = (*Store)(nil)
	_ userio.Store      = (*Store)(nil)
	_ event.Reader      = (*Store)(nil)
	_ limit.Store       = (*Store)(nil)
	_ idempotency.Store = (*Store)(nil)
)

// inTx runs fn in a transaction and translates its error; op is what is attempted.
func (s *Store) inTx(ctx context.Context, op string, fn func(q queries) error) error {
	return translate(op, s.Transact(ctx, func(tx *sql.Tx) error { return fn(s.queriesTx(tx)) }))
}

// CreateUser inserts a user with an event and jobs; see directory.Store.
func (s *Store) CreateUser(ctx context.Context, u directory.NewUser) error {
	return s.createUser(ctx, forgetRemoval, u)
}

// CreateUserUnlessRemoved is CreateUser for an address that was not removed; see directory.Store.
func (s *Store) CreateUserUnlessRemoved(ctx context.Context, u directory.NewUser) error {
	return s.createUser(ctx, refuseRemoved, u)
}

// createUser inserts a user with an event and jobs. checkRemoval handles an earlier removal of the address.
func (s *Store) createUser(
	ctx context.Context, checkRemoval func(context.Context, queries, directory.User) error, n directory.NewUser,
) error {
	defer s.totals.invalidate()
	return s.inTx(ctx, "create user", func(q queries) error {
		// Insert first: this waits for a removal of the address in progress.
		if err := insertUser(ctx, q, n.User); err != nil {
			return err
		}
		if err := checkRemoval(ctx, q, n.User); err != nil {
			return err
		}
		if err := insertMemberships(ctx, q, n.Memberships); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, n.Event); err != nil {
			return err
		}
		if err := insertJobs(ctx, q, n.Jobs); err != nil {
			return err
		}
		if err := s.noticeAdmin(ctx, q, directory.User{}, n.User, n.Event); err != nil {
			return err
		}
		return linkKey(ctx, q, n.Claim, n.User.ID)
	})
}

// GetUser returns the user with an id.
func (s *Store) GetUser(ctx context.Context, id string) (directory.User, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetUser, id)
	return toUser(row), translate("get user", err)
}

// GetUserByEmail returns the user with an address.
func (s *Store) GetUserByEmail(ctx context.Context, email directory.Email) (directory.User, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetUserByEmailKey, email.Normalized)
	return toUser(row), translate("get user by email", err)
}

// CountAdmins returns the number of administrators who are not suspended.
func (s *Store) CountAdmins(ctx context.Context) (int, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	n, err := q.CountAdmins(ctx)
	return int(n), translate("count administrators", err)
}

// ChangeUser applies the change that rule returns to a user; see directory.Store.
func (s *Store) ChangeUser(ctx context.Context, id string, rule func(directory.RuleState) (directory.Change, error)) (directory.User, error) {
	defer s.totals.invalidate()
	var changed directory.User
	err := s.inTx(ctx, "change user", func(q queries) error {
		state, err := s.lockedState(ctx, q, id)
		if err != nil {
			return err
		}
		c, err := rule(state)
		if err != nil {
			return err
		}
		changed = c.User
		if err := s.applyChange(ctx, q, state.User, c); err != nil {
			return err
		}
		return linkKey(ctx, q, c.Claim, c.User.ID)
	})
	return changed, err
}

// lockedState returns what a rule may depend on. It first locks what every change of administrators locks, then the
// user, so that neither changes before the transaction ends.
func (s *Store) lockedState(ctx context.Context, q queries, id string) (directory.RuleState, error) {
	if _, err := q.LockAdmins(ctx, micros(s.now())); err != nil {
		return directory.RuleState{}, err
	}
	if _, err := q.LockUser(ctx, id); err != nil {
		return directory.RuleState{}, err
	}
	row, err := q.GetUser(ctx, id)
	if err != nil {
		return directory.RuleState{}, err
	}
	admins, err := q.CountActiveAdmins(ctx)
	state := directory.RuleState{User: toUser(row), OtherAdmins: int(admins)}
	if state.User.IsActiveAdmin() {
		state.OtherAdmins--
	}
	return state, err
}

func (s *Store) applyChange(ctx context.Context, q queries, was directory.User, c directory.Change) error {
	if c.CancelInvites {
		if _, err := q.DeleteInviteJobs(ctx, was.Email.Normalized); err != nil {
			return err
		}
	}
	if err := insertEvents(ctx, q, c.Events...); err != nil {
		return err
	}
	var ended directory.Ended
	var err error
	if c.EndSession != nil {
		end := func(v session.Session) (directory.SessionEnd, bool) {
			return c.EndSession(v.TokenHash, v.StytchSessionID)
		}
		if ended.Sessions, err = endSessions(ctx, q, was.ID, end); err != nil {
			return err
		}
	}
	if c.RevokeToken != nil {
		revoke := func(t token.Token) (event.Event, bool) { return c.RevokeToken(t.Name), true }
		if ended.Tokens, err = revokeTokens(ctx, q, was.ID, revoke); err != nil {
			return err
		}
	}
	if c.Ended != nil {
		*c.Ended = ended
	}
	if err := insertJobs(ctx, q, c.Jobs); err != nil {
		return err
	}
	if !c.Remove {
		if err := s.noticeAdmin(ctx, q, was, c.User, c.Events...); err != nil {
			return err
		}
		return updateUser(ctx, q, was, c.User)
	}
	if err := q.DeleteUserWords(ctx, was.ID); err != nil {
		return err
	}
	if err := deleteAccess(ctx, q, was.ID); err != nil {
		return err
	}
	if err := deleteFactors(ctx, q, was.ID); err != nil {
		return err
	}
	if _, err := q.DeleteUser(ctx, was.ID); err != nil {
		return err
	}
	return rememberRemoval(ctx, q, was.Email.Normalized, s.now())
}

func userParams(u directory.User) dbsqlc.InsertUserParams {
	return dbsqlc.InsertUserParams{
		ID: u.ID, Name: u.Name, NameKey: u.SortKey(), Email: u.Email.Display, EmailKey: u.Email.Normalized,
		Role: string(u.Role), Status: string(u.Status), StytchUserID: u.StytchUserID, InvitedBy: u.InvitedBy,
		InviteSentAt: micros(u.InviteSentAt), CreatedAt: micros(u.CreatedAt),
		UpdatedAt: micros(u.UpdatedAt), LastSeenAt: micros(u.LastSeenAt),
		LinksAfter: micros(u.LinksAfter), CancelledInviteAt: micros(u.CancelledInviteAt),
	}
}

func insertUser(ctx context.Context, q queries, u directory.User) error {
	err := q.InsertUser(ctx, userParams(u))
	if IsDuplicate(err) {
		return directory.ErrEmailTaken
	}
	if err != nil {
		return err
	}
	if err := deleteParkedJobs(ctx, q, u.Email.Normalized); err != nil {
		return err
	}
	return insertWords(ctx, q, map[string][]string{u.ID: u.SearchTerms()})
}

// deleteParkedJobs deletes jobs that Stytch refused for earlier users of the addresses: repeated, they would affect
// the present ones.
func deleteParkedJobs(ctx context.Context, q queries, emailKeys ...string) error {
	parked, err := q.ParkedJobsOf(ctx, emailKeys)
	if err != nil {
		return err
	}
	for _, job := range parked {
		if _, err := q.DeleteJob(ctx, job.ID); err != nil {
			return err
		}
	}
	return nil
}

func updateUser(ctx context.Context, q queries, was, u directory.User) error {
	_, err := q.UpdateUser(ctx, dbsqlc.UpdateUserParams{
		ID: u.ID, Name: u.Name, NameKey: u.SortKey(), Role: string(u.Role), Status: string(u.Status),
		StytchUserID: u.StytchUserID, InviteSentAt: micros(u.InviteSentAt),
		UpdatedAt: micros(u.UpdatedAt), LastSeenAt: micros(u.LastSeenAt),
		LinksAfter: micros(u.LinksAfter), CancelledInviteAt: micros(u.CancelledInviteAt),
	})
	if err != nil || was.Name == u.Name {
		return err
	}
	if err := q.DeleteUserWords(ctx, u.ID); err != nil {
		return err
	}
	return insertWords(ctx, q, map[string][]string{u.ID: u.SearchTerms()})
}
