package outbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

// adminWithNotice adds an active administrator with a job that notifies them of a token.
func (f *fixture) adminWithNotice(name string) (directory.User, event.Event, outbox.Job) {
	f.t.Helper()
	u := f.invite(name)
	u, err := f.db.ChangeUser(f.t.Context(), u.ID, func(s directory.RuleState) (directory.Change, error) {
		u := s.User
		u.Role, u.Status = directory.Admin, directory.Active
		return directory.Change{User: u, CancelInvites: true}, nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	e := event.New(event.TokenCreated, time.Now().UTC(), u.ID, u.Email.Normalized, "deploy (1) (write, until 2000-01-08)")
	e.Origin = event.Origin{ActorID: u.ID, Actor: u.Email.Normalized, Address: "192.0.2.1", UserAgent: "curl/8", Token: "cron"}
	job := outbox.NewNotice(u.Email.Normalized, u.ID, e.ID, e.At)
	if err := f.db.AddEvents(f.t.Context(), e); err != nil {
		f.t.Fatal(err)
	}
	if err := f.db.AddJob(f.t.Context(), job); err != nil {
		f.t.Fatal(err)
	}
	return u, e, job
}

// jobs returns all jobs.
func (f *fixture) jobs() []outbox.Job {
	f.t.Helper()
	jobs, _, err := f.db.ListWaiting(f.t.Context(), 100)
	if err != nil {
		f.t.Fatal(err)
	}
	return jobs
}

func TestNotice_ReadFromAuditLog(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		_, e, _ := f.adminWithNotice("ada")
		f.start(f.worker())
		time.Sleep(time.Second)
		want := []outbox.Notice{{
			Topic: outbox.NewToken, Email: "ada@example.com", Name: "ada", Token: "deploy (1)", Terms: "write, until 2000-01-08",
			By: "ada@example.com", ByToken: "cron", At: e.At, Address: "192.0.2.1", UserAgent: "curl/8",
		}}
		if diff := cmp.Diff(want, f.stytch.notices); diff != "" {
			t.Errorf("notices (-want +got):\n%s", diff)
		}
		if jobs := f.jobs(); len(jobs) != 0 {
			t.Errorf("left over: %+v", jobs)
		}
	})
}

func TestNotice_DoesNotDelayCallsAboutUser(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = failing(errDown)
		_, _, job := f.adminWithNotice("ada")
		f.start(f.worker())
		time.Sleep(time.Second)
		f.stytch.answer = nil
		f.add(outbox.RevokeSession, "ada")
		f.worker().Deliver(t.Context(), address("ada"))
		if pending := f.jobs(); len(pending) != 1 || pending[0].ID != job.ID || pending[0].About() != "ada@example.com" {
			t.Errorf("pending: %+v", pending)
		}
		time.Sleep(time.Minute)
		if pending := f.jobs(); len(pending) != 0 {
			t.Errorf("not sent later: %+v", pending)
		}
	})
}

func TestNotice_RecipientNoLongerAdmin(t *testing.T) {
	changes := map[string]func(directory.RuleState) (directory.Change, error){
		"removed": func(s directory.RuleState) (directory.Change, error) {
			return directory.Change{User: s.User, Remove: true}, nil
		},
		"a member": func(s directory.RuleState) (directory.Change, error) {
			s.User.Role = directory.Member
			return directory.Change{User: s.User}, nil
		},
		"suspended": func(s directory.RuleState) (directory.Change, error) {
			s.User.Status = directory.Suspended
			return directory.Change{User: s.User}, nil
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				u, _, _ := f.adminWithNotice("ada")
				if _, err := f.db.ChangeUser(t.Context(), u.ID, change); err != nil {
					t.Fatal(err)
				}
				f.start(f.worker())
				time.Sleep(time.Second)
				if n := len(f.stytch.made()); n != 0 || len(f.jobs()) != 0 {
					t.Errorf("calls %v, jobs %+v", f.stytch.made(), f.jobs())
				}
			})
		})
	}
	t.Run("the event was deleted", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.adminWithNotice("ada")
			if _, err := f.db.DeleteEvents(t.Context(), time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			f.start(f.worker())
			time.Sleep(time.Second)
			if n := len(f.stytch.made()); n != 0 || len(f.jobs()) != 0 {
				t.Errorf("calls %v, jobs %+v", f.stytch.made(), f.jobs())
			}
		})
	})
}

func TestNotice_NoMailServer(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.adminWithNotice("ada")
		f.start(outbox.NewWorker(outbox.Options{Store: f.db, Accounts: f.stytch, Now: time.Now, Log: discard}))
		time.Sleep(time.Second)
		jobs := f.jobs()
		if len(jobs) != 1 || jobs[0].ParkedAt.IsZero() || jobs[0].LastError != "No mail server is set: set SMTP_URL to have notices mailed." {
			t.Errorf("jobs %+v", jobs)
		}
	})
}

func TestNewNotice_LongAddressFitsColumn(t *testing.T) {
	t.Parallel()
	long := fmt.Sprintf("%0254d", 1)
	if job := outbox.NewNotice(long, "id", "event", time.Now()); len(job.Subject) > 254 {
		t.Errorf("subject has %d bytes", len(job.Subject))
	}
}
