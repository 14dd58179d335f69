package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

func insertJobs(ctx context.Context, q *dbsqlc.Queries, jobs []outbox.Job) error {
	for _, j := range jobs {
		if err := q.InsertJob(ctx, dbsqlc.InsertJobParams{
			ID: j.ID, Kind: string(j.Kind), Subject: j.Subject, UserID: j.UserID, StytchID: j.StytchID, Name: j.Name,
			DueAt: micros(j.DueAt), CreatedAt: micros(j.CreatedAt),
		}); err != nil {
			return err
		}
	}
	return nil
}

// AddJob writes a call to Stytch that must still happen.
func (s *Store) AddJob(ctx context.Context, job outbox.Job) error {
	return s.inTx(ctx, "add job", func(q *dbsqlc.Queries) error { return insertJobs(ctx, q, []outbox.Job{job}) })
}

// ListJobs returns the calls still waiting for a person, oldest first.
func (s *Store) ListJobs(ctx context.Context, email directory.Email) ([]outbox.Job, error) {
	rows, err := s.queries().ListJobsOf(ctx, email.Key)
	jobs := make([]outbox.Job, len(rows))
	for i, r := range rows {
		jobs[i] = toJob(r)
	}
	return jobs, translate("list jobs", err)
}

// LeaseJob takes the next job that may run; see outbox.Store. Of two instances
// that see the same one, the first to count its attempt has it; the other looks again.
func (s *Store) LeaseJob(ctx context.Context, subject string, now, until time.Time) (outbox.Job, error) {
	for {
		row, err := s.nextJob(ctx, subject, micros(now))
		if isNoRows(err) {
			return outbox.Job{}, outbox.ErrNoJob
		}
		if err != nil {
			return outbox.Job{}, translate("next job", err)
		}
		n, err := dbsqlc.New(s.write).LeaseJob(ctx, dbsqlc.LeaseJobParams{LeaseEnd: micros(until), ID: row.ID, Was: row.Attempts})
		if err != nil {
			return outbox.Job{}, translate("lease job", err)
		}
		if n == 1 {
			row.Attempts++
			return toJob(row), nil
		}
	}
}

func (s *Store) nextJob(ctx context.Context, subject string, now int64) (dbsqlc.Outbox, error) {
	if subject == "" {
		return s.queries().NextJob(ctx, dbsqlc.NextJobParams{Now: now})
	}
	return s.queries().NextJobOf(ctx, dbsqlc.NextJobOfParams{Subject: subject, Now: now})
}

// FinishJob forgets a job that is done.
func (s *Store) FinishJob(ctx context.Context, id string) error {
	_, err := dbsqlc.New(s.write).DeleteJob(ctx, id)
	return translate("finish job", err)
}

// FinishInvite notes that an invitation was handed over; see outbox.Store.
func (s *Store) FinishInvite(ctx context.Context, job outbox.Job, stytchUserID string, now time.Time) error {
	return s.inTx(ctx, "finish invitation", func(q *dbsqlc.Queries) error {
		if _, err := q.DeleteJob(ctx, job.ID); err != nil {
			return err
		}
		n, err := q.SetUserInvited(ctx, dbsqlc.SetUserInvitedParams{StytchUserID: stytchUserID, InviteSentAt: micros(now), ID: job.UserID})
		if err != nil || n == 1 {
			return err
		}
		// Added again since: the account, found by its address, is the new person's.
		if _, err := q.GetUserByEmailKey(ctx, job.Subject); !isNoRows(err) {
			return err
		}
		forget := outbox.New(outbox.DeleteUser, job.Subject, job.UserID, stytchUserID, "", now)
		return insertJobs(ctx, q, []outbox.Job{forget})
	})
}

// RetryJob puts a job back, to be due later.
func (s *Store) RetryJob(ctx context.Context, id string, due time.Time, reason string) error {
	_, err := dbsqlc.New(s.write).RetryJob(ctx, dbsqlc.RetryJobParams{DueAt: micros(due), LastError: clip(reason, 200), ID: id})
	return translate("put job back", err)
}

// ParkJob sets a job aside.
func (s *Store) ParkJob(ctx context.Context, id string, now time.Time, reason string) error {
	_, err := dbsqlc.New(s.write).ParkJob(ctx, dbsqlc.ParkJobParams{ParkedAt: micros(now), LastError: clip(reason, 200), ID: id})
	return translate("park job", err)
}
