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

// told puts an active administrator on the list, with a job that tells them of a token.
func (f *fixture) told(name string) (directory.User, event.Event, outbox.Job) {
	f.t.Helper()
	u := f.invited(name)
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

// jobs are those of everybody.
func (f *fixture) jobs() []outbox.Job {
	f.t.Helper()
	jobs, _, err := f.db.ListWaiting(f.t.Context(), 100)
	if err != nil {
		f.t.Fatal(err)
	}
	return jobs
}

func TestNotice_IsReadFromTheTrail(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		_, e, _ := f.told("ada")
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

func TestNotice_KeepsNoCallAboutThePersonBack(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = failing(errDown)
		_, _, job := f.told("ada")
		f.start(f.worker())
		time.Sleep(time.Second)
		f.stytch.answer = nil
		f.add(outbox.RevokeSession, "ada")
		f.worker().Deliver(t.Context(), address("ada"))
		if waiting := f.jobs(); len(waiting) != 1 || waiting[0].ID != job.ID || waiting[0].About() != "ada@example.com" {
			t.Errorf("waiting: %+v", waiting)
		}
		time.Sleep(time.Minute)
		if waiting := f.jobs(); len(waiting) != 0 {
			t.Errorf("not sent later: %+v", waiting)
		}
	})
}

func TestNotice_ForNobodyAnyMoreIsNotSent(t *testing.T) {
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
				u, _, _ := f.told("ada")
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
	t.Run("the event is too old to be kept", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.told("ada")
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

func TestNotice_WithoutAMailServerWaitsForAnAdministrator(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.told("ada")
		f.start(outbox.NewWorker(outbox.Options{Store: f.db, Accounts: f.stytch, Now: time.Now, Log: discard}))
		time.Sleep(time.Second)
		jobs := f.jobs()
		if len(jobs) != 1 || jobs[0].ParkedAt.IsZero() || jobs[0].LastError != "No mail server is set: set SMTP_URL to have notices mailed." {
			t.Errorf("jobs %+v", jobs)
		}
	})
}

func TestNotice_ToALongAddressFitsItsColumn(t *testing.T) {
	t.Parallel()
	long := fmt.Sprintf("%0254d", 1)
	if job := outbox.NewNotice(long, "id", "event", time.Now()); len(job.Subject) > 254 {
		t.Errorf("a subject of %d", len(job.Subject))
	}
}
