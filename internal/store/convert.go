package store

import (
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

// micros returns a time as it is stored: microseconds since 1970, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// toUser converts a row. Rows of earlier releases may contain characters that names and addresses may not have now.
func toUser(r *dbsqlc.User) directory.User {
	return directory.User{
		ID: r.ID, Name: text.Name(r.Name), Email: directory.Email{Display: text.Clean(r.Email), Normalized: r.EmailKey},
		Role: directory.Role(r.Role), Status: directory.Status(r.Status), StytchUserID: r.StytchUserID, InvitedBy: r.InvitedBy,
		InviteSentAt: fromMicros(r.InviteSentAt), CreatedAt: fromMicros(r.CreatedAt),
		UpdatedAt: fromMicros(r.UpdatedAt), LastSeenAt: fromMicros(r.LastSeenAt),
		LinksAfter: fromMicros(r.LinksAfter), CancelledInviteAt: fromMicros(r.CancelledInviteAt),
	}
}

func toSession(r *dbsqlc.Session) session.Session {
	return session.Session{
		TokenHash: r.TokenHash, UserID: r.UserID, StytchSessionID: r.StytchSessionID, UserAgent: text.Clean(r.UserAgent), Address: r.Address,
		CreatedAt: fromMicros(r.CreatedAt), VerifiedAt: fromMicros(r.VerifiedAt), ExpiresAt: fromMicros(r.ExpiresAt),
		Proofs: factor.Proofs(r.Factors), HasSecondFactor: r.SecondFactor != 0,
	}
}

// toSessionWithUser converts a row that has only what a request needs of the session and its user.
func toSessionWithUser(r *dbsqlc.GetSessionRow) session.Session {
	return session.Session{
		TokenHash: r.TokenHash, UserID: r.UserID, StytchSessionID: r.StytchSessionID,
		CreatedAt: fromMicros(r.CreatedAt), VerifiedAt: fromMicros(r.VerifiedAt), ExpiresAt: fromMicros(r.ExpiresAt),
		Proofs: factor.Proofs(r.Factors), HasSecondFactor: r.SecondFactor != 0,
		User: directory.User{
			ID: r.UserID, Name: text.Name(r.Name), Email: directory.Email{Display: text.Clean(r.Email), Normalized: r.EmailKey},
			Role: directory.Role(r.Role), Status: directory.Status(r.Status), StytchUserID: r.StytchUserID,
			CreatedAt: fromMicros(r.UserCreatedAt), LastSeenAt: fromMicros(r.LastSeenAt),
		},
	}
}

func toJobs(rows []*dbsqlc.Outbox) []outbox.Job {
	jobs := make([]outbox.Job, len(rows))
	for i, r := range rows {
		jobs[i] = toJob(r)
	}
	return jobs
}

func toJob(r *dbsqlc.Outbox) outbox.Job {
	return outbox.Job{
		ID: r.ID, Kind: outbox.Kind(r.Kind), Subject: r.Subject, UserID: r.UserID, StytchID: r.StytchID, Name: r.Name, AppID: r.AppID,
		Attempts: int(r.Attempts), DueAt: fromMicros(r.DueAt), ParkedAt: fromMicros(r.ParkedAt),
		LastError: r.LastError, CreatedAt: fromMicros(r.CreatedAt),
	}
}

// truncate cuts text to a column's width, in characters, without the invisible ones.
// What is no UTF-8, as a browser may send, is replaced: MySQL would refuse the row.
func truncate(s string, n int) string {
	return text.Truncate(text.Clean(strings.ToValidUTF8(s, "\uFFFD")), n)
}
