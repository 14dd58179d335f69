package store

import (
	"context"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/token"
)

// mostNotices is how many administrators are told of one change.
const mostNotices = 50

// WriteNotices has changes write the jobs that mail notices of them. Without it,
// where nothing can mail them, there are none. Call it before the store is used.
func (s *Store) WriteNotices() { s.notices = true }

// noticeToken has the owner of a new token told of it.
func (s *Store) noticeToken(ctx context.Context, q queries, owner directory.User, e event.Event) error {
	if !s.notices {
		return nil
	}
	return insertJobs(ctx, q, []outbox.Job{outbox.NewNotice(owner.Email.Normalized, owner.ID, e.ID, e.At)})
}

// noticeAdmin has the other administrators told of a user who became one.
func (s *Store) noticeAdmin(ctx context.Context, q queries, was, u directory.User, events ...event.Event) error {
	if len(events) == 0 || !becameAdmin(was, u) {
		return nil
	}
	return s.noticeAdmins(ctx, q, u.ID, events[0])
}

// becameAdmin reports whether a user can come in as an administrator who could not
// before. was is the zero value for somebody new.
func becameAdmin(was, u directory.User) bool {
	is := u.Role == directory.Admin && u.Status != directory.Suspended
	return is && (was.Role != directory.Admin || was.Status == directory.Suspended)
}

// noticeAdmins has the active administrators told what an event says, without the
// user with the given id.
func (s *Store) noticeAdmins(ctx context.Context, q queries, but string, e event.Event) error {
	if !s.notices {
		return nil
	}
	admins, err := q.ListActiveAdmins(ctx, dbsqlc.ListActiveAdminsParams{But: but, Limit: mostNotices})
	if err != nil {
		return err
	}
	jobs := make([]outbox.Job, len(admins))
	for n, row := range admins {
		admin := toUser(row)
		jobs[n] = outbox.NewNotice(admin.Email.Normalized, admin.ID, e.ID, e.At)
	}
	return insertJobs(ctx, q, jobs)
}

// addDetails sets what is sent by a job that mails something. The error wraps
// directory.ErrNotFound if it is for nobody any more.
func (s *Store) addDetails(ctx context.Context, job *outbox.Job) error {
	switch job.Kind {
	case outbox.Invite:
		return s.addInviter(ctx, job)
	case outbox.Notify:
		return s.addNotice(ctx, job)
	}
	return nil
}

// addNotice sets the notice of a job. The error wraps directory.ErrNotFound if its
// recipient is no active administrator any more, or the event is too old to be kept.
func (s *Store) addNotice(ctx context.Context, job *outbox.Job) error {
	u, err := s.GetUser(ctx, job.UserID)
	if err != nil {
		return err
	}
	if !u.IsActiveAdmin() {
		return directory.ErrNotFound
	}
	row, err := read(ctx, s, (*dbsqlc.Queries).GetEvent, job.StytchID)
	if err != nil {
		return translate("get event", err)
	}
	e, err := toEvent(row)
	if err != nil {
		return translate("read event", err)
	}
	n := outbox.Notice{
		Email: u.Email.Normalized, Name: u.Name, By: e.Actor, ByToken: e.Token, At: e.At, Address: e.Address, UserAgent: e.UserAgent,
	}
	switch e.Kind {
	case event.TokenCreated:
		n.Topic = outbox.NewToken
		n.Token, n.Terms = token.SplitReason(e.Reason)
	case event.ImportStarted:
		n.Topic, n.Import = outbox.NewAdmins, e.Reason
	default:
		n.Topic, n.Admin, n.UserID = outbox.NewAdmin, e.Subject, e.SubjectID
	}
	job.Notice = &n
	return nil
}
