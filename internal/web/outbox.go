package web

import (
	"net/http"
	"slices"

	"github.com/guestlist/guestlist/internal/outbox"
)

// outboxPage is every call to Stytch that must still happen.
type outboxPage struct {
	layoutData
	Jobs []jobRow
	More bool
}

// jobRow is one such call in words.
type jobRow struct {
	outbox.Job
	Label string
}

// Parked reports whether Stytch refused it for good.
func (j jobRow) Parked() bool { return !j.ParkedAt.IsZero() }

var jobLabels = map[outbox.Kind]string{
	outbox.Invite:        "Send the invitation",
	outbox.RevokeInvite:  "Make the invitation worthless",
	outbox.DeleteUser:    "Forget the account",
	outbox.RevokeSession: "End a session",
	outbox.Notify:        "Mail a notice of a new token or administrator",
}

func jobRows(jobs []outbox.Job) []jobRow {
	lines := make([]jobRow, len(jobs))
	for i, j := range jobs {
		lines[i] = jobRow{j, jobLabels[j.Kind]}
	}
	return lines
}

// otherJobs are those that a person's page does not show as their invitation.
func otherJobs(jobs []outbox.Job) []jobRow {
	return slices.DeleteFunc(jobRows(jobs), func(j jobRow) bool { return j.Kind == outbox.Invite && !j.Parked() })
}

// maxWaiting is how many calls the page shows.
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
	return s.redirectWithMessage(w, r, "/waiting", "Tried again. What is done is gone from this page.")
}

func (s *server) dropJob(w http.ResponseWriter, r *http.Request) error {
	job, err := s.opts.Directory.DropJob(r.Context(), actorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, "/waiting", givenUp(job))
}

// givenUp says what it means that a call is not made.
func givenUp(j outbox.Job) string {
	if j.Kind == outbox.Notify {
		return "Given up for " + j.About() + ". They are not mailed the notice."
	}
	return "Given up for " + j.About() + ". Stytch will not hear of it from here."
}
