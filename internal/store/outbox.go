package store

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

func jobParams(j outbox.Job) dbsqlc.InsertJobParams {
	return dbsqlc.InsertJobParams{
		ID: j.ID, Kind: string(j.Kind), Subject: j.Subject, UserID: j.UserID, StytchID: j.StytchID, Name: j.Name,
		DueAt: micros(j.DueAt), CreatedAt: micros(j.CreatedAt), AppID: j.AppID,
	}
}

func insertJobs(ctx context.Context, q queries, jobs []outbox.Job) error {
	for _, j := range jobs {
		if err := q.InsertJob(ctx, jobParams(j)); err != nil {
			return err
		}
	}
	return nil
}

// AddJob inserts a job for a call to Stytch.
func (s *Store) AddJob(ctx context.Context, job outbox.Job) error {
	return s.inTx(ctx, "add job", func(q queries) error { return insertJobs(ctx, q, []outbox.Job{job}) })
}

// ListJobs returns a user's jobs, oldest first.
func (s *Store) ListJobs(ctx context.Context, email directory.Email) ([]outbox.Job, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListJobsOf, email.Normalized)
	return toJobs(rows), translate("list jobs", err)
}

// ListInviteJobs returns the users' jobs for invitations; see directory.Store.
func (s *Store) ListInviteJobs(ctx context.Context, users []directory.User) (map[string][]outbox.Job, error) {
	var subjects []string
	for _, u := range users {
		if u.Status == directory.Invited {
			subjects = append(subjects, u.Email.Normalized)
		}
	}
	jobs := make(map[string][]outbox.Job)
	if len(subjects) == 0 {
		return jobs, nil
	}
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListInviteJobs, subjects)
	for _, j := range toJobs(rows) {
		jobs[j.Subject] = append(jobs[j.Subject], j)
	}
	return jobs, translate("list invite jobs", err)
}

// ListWaiting returns jobs of all users; see directory.Store.
func (s *Store) ListWaiting(ctx context.Context, limit int) ([]outbox.Job, bool, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListJobs, int32(limit)+1) // one more shows whether there are more
	more := len(rows) > limit
	return toJobs(rows[:min(len(rows), limit)]), more, translate("list jobs", err)
}

// HasStuckJobs reports whether any job has failed at least once.
func (s *Store) HasStuckJobs(ctx context.Context) (bool, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	_, err := q.ParkedJob(ctx)
	if dbconn.IsNoRows(err) {
		_, err = q.LaterJob(ctx)
	}
	if dbconn.IsNoRows(err) {
		return false, nil
	}
	return err == nil, translate("find stuck jobs", err)
}

// ReleaseJob makes a job due now.
func (s *Store) ReleaseJob(ctx context.Context, id string, record func(outbox.Job) event.Event) (outbox.Job, error) {
	return s.changeJob(ctx, "release job", id, record, func(q queries) (int64, error) { return q.ReleaseJob(ctx, id) })
}

// DropJob deletes a job.
func (s *Store) DropJob(ctx context.Context, id string, record func(outbox.Job) event.Event) (outbox.Job, error) {
	return s.changeJob(ctx, "drop job", id, record, func(q queries) (int64, error) { return q.DeleteJob(ctx, id) })
}

// changeJob runs a statement on a job and writes the event that record returns for it.
func (s *Store) changeJob(
	ctx context.Context, op, id string, record func(outbox.Job) event.Event, change func(queries) (int64, error),
) (outbox.Job, error) {
	var job outbox.Job
	err := s.inTx(ctx, op, func(q queries) error {
		row, err := q.GetJob(ctx, id)
		if err != nil {
			return err
		}
		job = toJob(row)
		n, err := change(q)
		if err := requireOneRow(n, err, directory.ErrNotFound); err != nil { // finished or dropped since it was read
			return err
		}
		return insertEvents(ctx, q, record(job))
	})
	return job, err
}

// LeaseJob takes the next job that may run; see outbox.Store. If two instances read the same one, the first to count
// its attempt gets it and the other looks again.
func (s *Store) LeaseJob(ctx context.Context, subject string, now, until time.Time) (outbox.Job, error) {
	return s.lease(ctx, until, func() (*dbsqlc.Outbox, error) { return s.nextJob(ctx, subject, micros(now)) })
}

// LeaseLogout takes the next logout that may run; see outbox.Store.
func (s *Store) LeaseLogout(ctx context.Context, busyApps []string, now, until time.Time) (outbox.Job, error) {
	p := dbsqlc.NextLogoutParams{Now: micros(now), BusyApps: append(busyApps, "")} // NOT IN needs a value
	return s.lease(ctx, until, func() (*dbsqlc.Outbox, error) { return read(ctx, s, (*dbsqlc.Queries).NextLogout, p) })
}

// lease leases the job that next returns.
func (s *Store) lease(ctx context.Context, until time.Time, next func() (*dbsqlc.Outbox, error)) (outbox.Job, error) {
	for {
		row, err := next()
		if dbconn.IsNoRows(err) {
			return outbox.Job{}, outbox.ErrNoJob
		}
		if err != nil {
			return outbox.Job{}, translate("next job", err)
		}
		n, err := s.writer().LeaseJob(ctx, dbsqlc.LeaseJobParams{LeaseEnd: micros(until), ID: row.ID, Was: row.Attempts})
		if err != nil {
			return outbox.Job{}, translate("lease job", err)
		}
		if n == 0 {
			continue
		}
		row.Attempts++
		job := toJob(row)
		err = s.addDetails(ctx, &job)
		if errors.Is(err, directory.ErrNotFound) {
			job.Gone, err = true, nil
		}
		return job, err
	}
}

// addInviter sets who invited the user of an invite job, unless that user was
// removed or is suspended. The error wraps directory.ErrNotFound if the invited
// user was removed.
func (s *Store) addInviter(ctx context.Context, job *outbox.Job) error {
	u, err := s.GetUser(ctx, job.UserID)
	if err != nil || u.InvitedBy == "" {
		return err
	}
	by, err := s.GetUser(ctx, u.InvitedBy)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil
	case err == nil && by.Status != directory.Suspended:
		job.Actor = by.DisplayName()
	}
	return err
}

func (s *Store) nextJob(ctx context.Context, subject string, now int64) (*dbsqlc.Outbox, error) {
	if subject == "" {
		return read(ctx, s, (*dbsqlc.Queries).NextJob, dbsqlc.NextJobParams{Now: now})
	}
	return read(ctx, s, (*dbsqlc.Queries).NextJobOf, dbsqlc.NextJobOfParams{Subject: subject, Now: now})
}

// FinishJob deletes a job that is done.
func (s *Store) FinishJob(ctx context.Context, id string) error {
	_, err := s.writer().DeleteJob(ctx, id)
	return translate("finish job", err)
}

// FinishInvite records that an invitation was sent; see outbox.Store.
func (s *Store) FinishInvite(ctx context.Context, i outbox.SentInvite) error {
	return s.inTx(ctx, "finish invitation", func(q queries) error {
		if _, err := q.DeleteJob(ctx, i.Job.ID); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, i.Event); err != nil {
			return err
		}
		n, err := q.SetUserInvited(ctx, dbsqlc.SetUserInvitedParams{StytchUserID: i.StytchUserID, InviteSentAt: micros(i.At), ID: i.Job.UserID})
		if err != nil || n == 1 {
			return err
		}
		// If the address was added again, the account, found by its address, is the new user's.
		if _, err := q.GetUserByEmailKey(ctx, i.Job.Subject); !dbconn.IsNoRows(err) {
			return err
		}
		return insertJobs(ctx, q, []outbox.Job{i.DeleteUser})
	})
}

// RetryJob returns a job to the queue, due later.
func (s *Store) RetryJob(ctx context.Context, id string, due time.Time, reason string) error {
	_, err := s.writer().RetryJob(ctx, dbsqlc.RetryJobParams{DueAt: micros(due), LastError: truncate(reason, 200), ID: id})
	return translate("put job back", err)
}

// ParkJob sets a job aside until an administrator decides.
func (s *Store) ParkJob(ctx context.Context, p outbox.ParkedJob) error {
	return s.inTx(ctx, "park job", func(q queries) error {
		n, err := q.ParkJob(ctx, dbsqlc.ParkJobParams{ParkedAt: micros(p.At), LastError: truncate(p.Reason, 200), ID: p.ID})
		if err != nil || n == 0 {
			return err
		}
		return insertEvents(ctx, q, p.Event)
	})
}
