package web

import (
	"net/http"
	"slices"

	"github.com/guestlist/guestlist/internal/outbox"
)

// waitingPage is every call to Stytch that must still happen.
type waitingPage struct {
	page
	Jobs []job
	More bool
}

// job is one such call in words.
type job struct {
	outbox.Job
	What string
}

// Parked reports whether Stytch refused it for good.
func (j job) Parked() bool { return !j.ParkedAt.IsZero() }

var jobWords = map[outbox.Kind]string{
	outbox.Invite:        "Send the invitation",
	outbox.RevokeInvite:  "Make the invitation worthless",
	outbox.DeleteUser:    "Forget the account",
	outbox.RevokeSession: "End a session",
	outbox.Notify:        "Mail a notice of a new token or administrator",
}

func inWords(jobs []outbox.Job) []job {
	lines := make([]job, len(jobs))
	for i, j := range jobs {
		lines[i] = job{j, jobWords[j.Kind]}
	}
	return lines
}

// otherJobs are those that a person's page does not show as their invitation.
func otherJobs(jobs []outbox.Job) []job {
	return slices.DeleteFunc(inWords(jobs), func(j job) bool { return j.Kind == outbox.Invite && !j.Parked() })
}

// maxWaiting is how many calls the page shows.
const maxWaiting = 100

func (s *server) showWaiting(w http.ResponseWriter, r *http.Request) error {
	jobs, more, err := s.Directory.ListWaiting(r.Context(), maxWaiting)
	if err != nil {
		return err
	}
	view := waitingPage{page: s.section(w, r, "Waiting for Stytch", "users"), Jobs: inWords(jobs), More: more}
	return s.render(w, r, http.StatusOK, "waiting", view)
}

func (s *server) retryJob(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Directory.TryAgain(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	return s.done(w, r, "/waiting", "Tried again. What is done is gone from this page.")
}

func (s *server) dropJob(w http.ResponseWriter, r *http.Request) error {
	job, err := s.Directory.DropJob(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.done(w, r, "/waiting", givenUp(job))
}

// givenUp says what it means that a call is not made.
func givenUp(j outbox.Job) string {
	if j.Kind == outbox.Notify {
		return "Given up for " + j.About() + ". They are not mailed the notice."
	}
	return "Given up for " + j.About() + ". Stytch will not hear of it from here."
}
