package store

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CreateSession writes a sign-in; see session.Store.
func (s *Store) CreateSession(
	ctx context.Context, a session.SignInRequest, welcome func(directory.Applicant) (directory.User, []event.Event, error),
) (session.Session, error) {
	made, err := s.createSession(ctx, a, welcome)
	if errors.Is(err, directory.ErrEmailTaken) { // somebody new, who came twice at the same moment: now they are found
		made, err = s.createSession(ctx, a, welcome)
	}
	return made, err
}

func (s *Store) createSession(
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

// lockedApplicant reads what the directory knows of an address and holds its user
// as read. If there is none, it holds what makes one administrator, and every
// removal waits.
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
	return stranger(ctx, q, email)
}

func insertSession(ctx context.Context, q queries, v session.Session) error {
	return q.InsertSession(ctx, dbsqlc.InsertSessionParams{
		TokenHash: v.TokenHash, UserID: v.UserID, StytchSessionID: v.StytchSessionID,
		UserAgent: truncate(v.UserAgent, 400), Address: truncate(v.Address, 64),
		CreatedAt: micros(v.CreatedAt), VerifiedAt: micros(v.VerifiedAt), ExpiresAt: micros(v.ExpiresAt),
	})
}

// endReplacedSession ends the session that the browser held before, of any user.
func (s *Store) endReplacedSession(ctx context.Context, q queries, a session.SignInRequest) error {
	if a.Replaces == "" {
		return nil
	}
	row, err := q.GetSession(ctx, a.Replaces)
	if isNoRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = endSession(ctx, q, a.Replaces, a.EndReplaced(toSessionWithUser(row)))
	return err
}

// GetSession returns a session and its person; see session.Store. On a server far
// away, those that are asked for at the same time share a query: what it costs is
// the way there. A file answers sooner than one could wait for another.
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

// ListSessions returns a person's sessions, newest first.
func (s *Store) ListSessions(ctx context.Context, userID string) ([]session.Session, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListSessionsOfUser, userID)
	list := make([]session.Session, len(rows))
	for i, r := range rows {
		list[i] = toSession(r)
	}
	return list, translate("list sessions", err)
}

// SaveVerification notes when Stytch stood by a session, and that its person was seen then.
func (s *Store) SaveVerification(ctx context.Context, v session.Session) error {
	return s.inTx(ctx, "note session", func(q queries) error {
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

// EndSessions deletes some of a user's sessions; see session.Store.
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

// endSession deletes a session and writes its event and job, unless another
// transaction deleted it first. It returns the number of deleted sessions.
func endSession(ctx context.Context, q queries, tokenHash string, end directory.SessionEnd) (int, error) {
	n, err := q.DeleteSession(ctx, tokenHash)
	if err != nil || n == 0 {
		return 0, err
	}
	if err := insertEvents(ctx, q, end.Event); err != nil {
		return 0, err
	}
	return 1, insertJobs(ctx, q, []outbox.Job{end.Job})
}

// DeleteExpiredSessions deletes the rows of sessions that are over, which no
// longer let anybody in anyway.
func (s *Store) DeleteExpiredSessions(ctx context.Context, now time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete expired sessions", func(q queries, most int32) ([]string, error) {
		return q.ExpiredSessions(ctx, dbsqlc.ExpiredSessionsParams{ExpiresAt: micros(now), Limit: most})
	}, func(q queries, hash string) (int64, error) { return q.DeleteSession(ctx, hash) })
}
