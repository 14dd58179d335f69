package web

import (
	"net/http"
	"slices"

	"github.com/guestlist/guestlist/internal/outbox"
)

// outboxPage shows the jobs that still have to be done at the login service, in apps or by email.
type outboxPage struct {
	layoutData
	Jobs []jobRow
	More bool
}

// jobRow is a job as text.
type jobRow struct {
	outbox.Job
	Label string
}

// Parked reports whether the job was refused for good.
func (j jobRow) Parked() bool { return !j.ParkedAt.IsZero() }

var jobLabels = map[outbox.Kind]string{
	outbox.Invite:        "Send the invitation",
	outbox.RevokeInvite:  "Cancel the invitation",
	outbox.DeleteUser:    "Delete the account",
	outbox.RevokeSession: "End a session",
	outbox.DeletePasskey: "Remove a passkey",
	outbox.DeleteTOTP:    "Remove an authenticator app",
	outbox.Notify:        "Send an email notice",
}

// jobLabel returns what a job does.
func jobLabel(j outbox.Job) string {
	if j.Kind == outbox.BackchannelLogout {
		return "Sign out of " + j.Name
	}
	return jobLabels[j.Kind]
}

func jobRows(jobs []outbox.Job) []jobRow {
	lines := make([]jobRow, len(jobs))
	for i, j := range jobs {
		lines[i] = jobRow{j, jobLabel(j)}
	}
	return lines
}

// otherJobs returns the jobs that a user's page doesn't show as the invitation.
func otherJobs(jobs []outbox.Job) []jobRow {
	return slices.DeleteFunc(jobRows(jobs), func(j jobRow) bool { return j.Kind == outbox.Invite && !j.Parked() })
}

// maxWaiting is how many jobs the page shows.
const maxWaiting = 100

func (s *server) showWaiting(w http.ResponseWriter, r *http.Request) error {
	jobs, more, err := s.opts.Directory.ListWaiting(r.Context(), maxWaiting)
	if err != nil {
		return err
	}
	view := outboxPage{layoutData: s.sectionLayout(w, r, "Pending updates", "users"), Jobs: jobRows(jobs), More: more}
	return s.render(w, r, http.StatusOK, "waiting", view)
}

func (s *server) retryJob(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.opts.Directory.RetryJob(r.Context(), actorOf(r), r.PathValue("id")); err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, "/waiting", "Tried again. Finished items disappear from this page.")
}

func (s *server) dropJob(w http.ResponseWriter, r *http.Request) error {
	job, err := s.opts.Directory.DropJob(r.Context(), actorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, "/waiting", cancelled(job))
}

// cancelled returns the message after a job was cancelled.
func cancelled(j outbox.Job) string {
	if j.Kind == outbox.Notify {
		return "Cancelled for " + j.About() + ". The notice won’t be sent."
	}
	if j.Kind == outbox.BackchannelLogout {
		return "Cancelled for " + j.About() + ". " + j.Name + " won’t be told."
	}
	return "Cancelled for " + j.About() + ". The update won’t be sent."
}
