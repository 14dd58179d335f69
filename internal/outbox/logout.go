package outbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/event"
)

// logoutSubject begins the subject of the jobs that tell an app about the end of a session. The app's id
// and the user's address follow.
const logoutSubject = "logout from "

// NewLogout returns a job that tells an app that a session of a user has ended. The job's subject is not
// the user's, so that a slow app doesn't delay the calls to Stytch.
func NewLogout(appID, appName, email, userID, stytchSessionID string, now time.Time) Job {
	subject := logoutSubject + appID + " " + email
	if len(subject) > 254 { // the width of the column
		subject = logoutSubject + appID + " " + userID
	}
	job := New(BackchannelLogout, subject, userID, stytchSessionID, appName, now)
	job.AppID = appID
	return job
}

// logoutTimeout is how long sending a logout is tried. Every token that the app got in the session has
// been void since it ended.
const logoutTimeout = 24 * time.Hour

// LogoutSender tells apps that a session has ended
// (https://openid.net/specs/openid-connect-backchannel-1_0.html). It must end by the context's deadline.
type LogoutSender interface {
	// SendLogout tells an app about a session. An app that is gone or wants no notice is a success.
	// An error that wraps [ErrRefused] parks the job; after others it is retried. All have a reason for
	// administrators, see [Reason].
	SendLogout(ctx context.Context, appID, userID, stytchSessionID string) error
}

// SendLogouts makes the worker send logouts. Without it they are left to other instances, such as the
// server for which a command writes them. It must be called before Run.
func (w *Worker) SendLogouts(s LogoutSender) { w.logouts = s }

var errNoSender = errors.New("this instance sends no logouts")

// processLogout sends the next logout. At any time there is one for each app, so that an app that doesn't
// answer takes one of the workers and not all. It reports whether there was a job.
func (w *Worker) processLogout(ctx context.Context) bool {
	now := w.opts.Now()
	w.sending.Lock()
	job, err := w.store.LeaseLogout(ctx, slices.Clone(w.busy), now, now.Add(leaseTime))
	if err == nil {
		w.busy = append(w.busy, job.AppID)
	}
	w.sending.Unlock()
	if err != nil {
		w.logLeaseError(ctx, err)
		return false
	}
	defer w.release(job.AppID)
	w.execute(ctx, job)
	return true
}

// release makes an app available for its next logout.
func (w *Worker) release(appID string) {
	w.sending.Lock()
	defer w.sending.Unlock()
	w.busy = slices.DeleteFunc(w.busy, func(id string) bool { return id == appID })
}

// isTooOld reports whether a logout isn't retried any more.
func (j Job) isTooOld(now time.Time) bool {
	return j.Kind == BackchannelLogout && !now.Before(j.CreatedAt.Add(logoutTimeout))
}

// givenUp returns the event of a logout that failed for too long.
func (j Job) givenUp(now time.Time, reason string) event.Event {
	return event.New(event.JobDropped, now, j.UserID, j.About(), string(j.Kind)+": "+j.Name+": given up after a day. "+reason)
}
