package store

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CreateSession stores the result of a sign-in; see session.Store.
func (s *Store) CreateSession(
	ctx context.Context, a session.SignInRequest, welcome func(directory.Applicant) (directory.User, []event.Event, error),
) (session.Session, error) {
	made, err := s.tryCreateSession(ctx, a, welcome)
	if errors.Is(err, directory.ErrEmailTaken) { // a new user signed in twice at the same time: now the user exists
		made, err = s.tryCreateSession(ctx, a, welcome)
	}
	return made, err
}

func (s *Store) tryCreateSession(
	ctx context.Context, a session.SignInRequest, welcome func(directory.Applicant) (directory.User, []event.Event, error),
) (session.Session, error) {
	made, counts := a.Session, false
	err := s.inTx(ctx, "sign in", func(q queries) error {
		applicant, err := s.lockedApplicant(ctx, q, a.Email)
		if err != nil {
			return err
		}
		u, events, err := welcome(applicant)
		if err != nil {
			return err
		}
		found := applicant.User
		if found == nil {
			err = insertUser(ctx, q, u)
		} else {
			err = updateUser(ctx, q, *found, u)
		}
		counts = found == nil || found.Role != u.Role || found.Status != u.Status
		if err != nil {
			return err
		}
		if err := finishAttempt(ctx, q, a.AttemptID, made.CreatedAt); err != nil {
			return err
		}
		if err := useFactor(ctx, q, u.ID, a.FactorID, made.CreatedAt, 0); err != nil {
			return err
		}
		if err := useHostLink(ctx, q, u.ID, a.HostLinkHash, made.CreatedAt); err != nil {
			return err
		}
		if made.HasSecondFactor { // Stytch may not have been told yet that it was removed
			if made.HasSecondFactor, err = hasTOTP(ctx, q, u.ID); err != nil {
				return err
			}
		}
		if err := s.endReplacedSession(ctx, q, a); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, events...); err != nil {
			return err
		}
		made.UserID, made.User = u.ID, u
		return insertSession(ctx, q, made)
	})
	if counts {
		s.totals.invalidate()
	}
	return made, err
}

// lockedApplicant reads what the directory knows of an address and locks its user. If there is no user, it locks what
// changes of administrators and removals lock.
func (s *Store) lockedApplicant(ctx context.Context, q queries, email directory.Email) (directory.Applicant, error) {
	n, err := q.LockUserByEmailKey(ctx, email.Normalized)
	if err != nil {
		return directory.Applicant{}, err
	}
	if n > 0 {
		row, err := q.GetUserByEmailKey(ctx, email.Normalized)
		u := toUser(row)
		return directory.Applicant{Email: email, User: &u}, err
	}
	if _, err := q.LockAdmins(ctx, micros(s.now())); err != nil {
		return directory.Applicant{}, err
	}
	return unlistedApplicant(ctx, q, email)
}

func insertSession(ctx context.Context, q queries, v session.Session) error {
	return q.InsertSession(ctx, dbsqlc.InsertSessionParams{
		TokenHash: v.TokenHash, UserID: v.UserID, StytchSessionID: v.StytchSessionID,
		UserAgent: truncate(v.UserAgent, 400), Address: truncate(v.Address, 64),
		CreatedAt: micros(v.CreatedAt), VerifiedAt: micros(v.VerifiedAt), ExpiresAt: micros(v.ExpiresAt),
		Factors: string(v.Proofs), SecondFactor: flag(v.HasSecondFactor),
	})
}

// endReplacedSession ends the session that the browser had before, which may be another user's.
func (s *Store) endReplacedSession(ctx context.Context, q queries, a session.SignInRequest) error {
	if a.Replaces == "" {
		return nil
	}
	row, err := q.GetSession(ctx, a.Replaces)
	if dbconn.IsNoRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = endSession(ctx, q, a.Replaces, a.EndReplaced(toSessionWithUser(row)))
	return err
}

// GetSession returns a session with its user; see session.Store. On MySQL, simultaneous calls share queries, because
// the round trip is what costs time. On SQLite, a query takes less time than sharing it.
func (s *Store) GetSession(ctx context.Context, tokenHash string) (session.Session, error) {
	if s.sqlite {
		row, err := s.on(s.Reader()).GetSession(ctx, tokenHash)
		return toSessionWithUser(row), translate("get session", err)
	}
	found, err := s.sessions.Load(ctx, tokenHash)
	return found, translate("get session", err)
}

func (s *Store) getSessions(ctx context.Context, tokenHashes []string) (map[string]session.Session, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).GetSessions, tokenHashes)
	found := make(map[string]session.Session, len(rows))
	for _, r := range rows {
		found[r.TokenHash] = toSessionWithUser((*dbsqlc.GetSessionRow)(r))
	}
	return found, err
}

// ListSessions returns a user's sessions, newest first.
func (s *Store) ListSessions(ctx context.Context, userID string) ([]session.Session, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListSessionsOfUser, userID)
	list := make([]session.Session, len(rows))
	for i, r := range rows {
		list[i] = toSession(r)
	}
	return list, translate("list sessions", err)
}

// SaveVerification records that Stytch confirmed a session, and that its user was seen.
func (s *Store) SaveVerification(ctx context.Context, v session.Session) error {
	return s.inTx(ctx, "verify session", func(q queries) error {
		at := micros(v.VerifiedAt)
		if _, err := q.SetSessionVerified(ctx, dbsqlc.SetSessionVerifiedParams{
			VerifiedAt: at, ExpiresAt: micros(v.ExpiresAt), TokenHash: v.TokenHash,
		}); err != nil {
			return err
		}
		_, err := q.SetUserSeen(ctx, dbsqlc.SetUserSeenParams{SeenAt: at, ID: v.UserID})
		return err
	})
}

// EndSessions deletes a user's matching sessions; see session.Store.
func (s *Store) EndSessions(
	ctx context.Context, userID string, end func(directory.User, session.Session) (directory.SessionEnd, bool),
) (int, error) {
	ended := 0
	err := s.inTx(ctx, "end sessions", func(q queries) error {
		row, err := q.GetUser(ctx, userID)
		if err != nil {
			return err
		}
		u := toUser(row)
		ended, err = endSessions(ctx, q, userID, func(v session.Session) (directory.SessionEnd, bool) { return end(u, v) })
		return err
	})
	return ended, err
}

// endSessions deletes the sessions of a user for which end returns true.
func endSessions(
	ctx context.Context, q queries, userID string, end func(session.Session) (directory.SessionEnd, bool),
) (int, error) {
	rows, err := q.ListSessionsOfUser(ctx, userID)
	if err != nil {
		return 0, err
	}
	ended := 0
	for _, row := range rows {
		written, ok := end(toSession(row))
		if !ok {
			continue
		}
		n, err := endSession(ctx, q, row.TokenHash, written)
		if err != nil {
			return 0, err
		}
		ended += n
	}
	return ended, nil
}

// endSession deletes a session and writes its event and jobs, unless another
// transaction deleted it first. It returns the number of deleted sessions.
func endSession(ctx context.Context, q queries, tokenHash string, end directory.SessionEnd) (int, error) {
	logouts, err := listLogouts(ctx, q, end.Event.At, tokenHash)
	if err != nil {
		return 0, err
	}
	n, err := q.DeleteSession(ctx, tokenHash)
	if err != nil || n == 0 {
		return 0, err
	}
	if err := insertEvents(ctx, q, end.Event); err != nil {
		return 0, err
	}
	return 1, insertJobs(ctx, q, append([]outbox.Job{end.Job}, logouts[tokenHash]...))
}

// listLogouts returns the jobs that tell apps about the end of sessions, by the sessions' hashes. It must be called
// before the sessions are deleted.
func listLogouts(ctx context.Context, q queries, now time.Time, tokenHashes ...string) (map[string][]outbox.Job, error) {
	jobs := map[string][]outbox.Job{}
	if len(tokenHashes) == 0 {
		return jobs, nil
	}
	rows, err := q.ListLogouts(ctx, tokenHashes)
	for _, r := range rows {
		job := outbox.NewLogout(r.AppID, r.AppName, r.EmailKey, r.UserID, r.StytchSessionID, now)
		jobs[r.TokenHash] = append(jobs[r.TokenHash], job)
	}
	return jobs, err
}

// DeleteExpiredSessions deletes expired sessions and writes the jobs that tell apps. It is housekeeping: expiry is
// checked on every use.
func (s *Store) DeleteExpiredSessions(ctx context.Context, now time.Time) (int, error) {
	var logouts map[string][]outbox.Job
	return s.deleteInBatches(ctx, "delete expired sessions", func(q queries, limit int32) ([]string, error) {
		hashes, err := q.ExpiredSessions(ctx, dbsqlc.ExpiredSessionsParams{ExpiresAt: micros(now), Limit: limit})
		if err != nil {
			return nil, err
		}
		logouts, err = listLogouts(ctx, q, now, hashes...)
		return hashes, err
	}, func(q queries, hash string) (int64, error) {
		n, err := q.DeleteSession(ctx, hash)
		if err != nil || n == 0 {
			return n, err
		}
		return n, insertJobs(ctx, q, logouts[hash])
	})
}
