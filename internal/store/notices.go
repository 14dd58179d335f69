package store

import (
	"context"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/token"
)

// maxNotices is how many administrators are notified of one change.
const maxNotices = 50

// WriteNotices makes changes insert jobs that send notices of them. Without it there are none, because nothing could
// send them. It must be called before the store is used.
func (s *Store) WriteNotices() { s.notices = true }

// noticeToken inserts a job that notifies the owner of a new token.
func (s *Store) noticeToken(ctx context.Context, q queries, owner directory.User, e event.Event) error {
	if !s.notices {
		return nil
	}
	return insertJobs(ctx, q, []outbox.Job{outbox.NewNotice(owner.Email.Normalized, owner.ID, e.ID, e.At)})
}

// noticeAdmin inserts jobs that notify the other administrators of a new one.
func (s *Store) noticeAdmin(ctx context.Context, q queries, was, u directory.User, events ...event.Event) error {
	if len(events) == 0 || !becameAdmin(was, u) {
		return nil
	}
	return s.noticeAdmins(ctx, q, u.ID, events[0])
}

// becameAdmin reports whether a user is an administrator who may sign in and wasn't before. was is the zero value for
// a new user.
func becameAdmin(was, u directory.User) bool {
	is := u.Role == directory.Admin && u.Status != directory.Suspended
	return is && (was.Role != directory.Admin || was.Status == directory.Suspended)
}

// noticeAdmins inserts jobs that notify the active administrators of an event, except the user with the given id.
func (s *Store) noticeAdmins(ctx context.Context, q queries, but string, e event.Event) error {
	if !s.notices {
		return nil
	}
	admins, err := q.ListActiveAdmins(ctx, dbsqlc.ListActiveAdminsParams{But: but, Limit: maxNotices})
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

// noticeFactors inserts a job that notifies a user of a change of how they can sign in.
func (s *Store) noticeFactors(ctx context.Context, q queries, u directory.User, e event.Event) error {
	if !s.notices {
		return nil
	}
	return insertJobs(ctx, q, []outbox.Job{outbox.NewTopicNotice(outbox.SignInMethods, u.Email.Normalized, u.ID, e.ID, e.At)})
}

// noticeFactorsOf is noticeFactors for a user who has not been read.
func (s *Store) noticeFactorsOf(ctx context.Context, q queries, userID string, e event.Event) error {
	if !s.notices {
		return nil
	}
	row, err := q.GetUser(ctx, userID)
	if err != nil {
		return err
	}
	return s.noticeFactors(ctx, q, toUser(row), e)
}

// addDetails sets what a job sends. The error wraps directory.ErrNotFound if there is no recipient any more.
func (s *Store) addDetails(ctx context.Context, job *outbox.Job) error {
	switch job.Kind {
	case outbox.Invite:
		return s.addInviter(ctx, job)
	case outbox.Notify:
		return s.addNotice(ctx, job)
	}
	return nil
}

// addNotice sets the notice of a job. The error wraps directory.ErrNotFound if its recipient must not get it any more,
// or if what it is about is gone.
func (s *Store) addNotice(ctx context.Context, job *outbox.Job) error {
	u, err := s.GetUser(ctx, job.UserID)
	if err != nil {
		return err
	}
	n := outbox.Notice{Topic: outbox.Topic(job.Name), Email: u.Email.Normalized, Name: u.Name}
	forUser := slices.Contains([]outbox.Topic{outbox.AccessApproved, outbox.AccessDenied, outbox.AccessEnds, outbox.SignInMethods}, n.Topic)
	if !u.IsActiveAdmin() && (!forUser || u.Status == directory.Suspended) {
		return directory.ErrNotFound
	}
	switch n.Topic {
	case outbox.AccessRequests:
		err = s.addWaiting(ctx, u, &n)
	case outbox.AccessEndings:
		err = s.addEndings(ctx, &n)
	case outbox.AccessEnds:
		err = s.addEnd(ctx, u, job.StytchID, &n)
	default:
		err = s.addEvent(ctx, job.StytchID, &n)
	}
	if err != nil {
		return err
	}
	job.Notice = &n
	return nil
}

// addEvent fills in a notice of an event. Without a topic, the event's kind tells it.
func (s *Store) addEvent(ctx context.Context, id string, n *outbox.Notice) error {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetEvent, id)
	if err != nil {
		return translate("get event", err)
	}
	e, err := toEvent(row)
	if err != nil {
		return translate("read event", err)
	}
	n.By, n.At = e.Actor, e.At
	if n.Topic == outbox.AccessApproved || n.Topic == outbox.AccessDenied {
		return s.addDecision(ctx, e, n)
	}
	n.ByToken, n.Address, n.UserAgent = e.Token, e.Address, e.UserAgent
	if n.Topic == outbox.SignInMethods {
		n.Event, n.Method = string(e.Kind), e.Reason
		return nil
	}
	switch e.Kind {
	case event.TokenCreated:
		n.Topic = outbox.NewToken
		n.Token, n.Terms = token.SplitReason(e.Reason)
	case event.HostLinkMade:
		n.Topic, n.Admin, n.UserID = outbox.HostLink, e.Subject, e.SubjectID
	case event.ImportStarted:
		n.Topic, n.Import = outbox.NewAdmins, e.Reason
	default:
		n.Topic, n.Admin, n.UserID = outbox.NewAdmin, e.Subject, e.SubjectID
	}
	return nil
}
