package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// digest is a kind of notice that lists several things for the administrators.
type digest struct {
	topic   outbox.Topic
	setting string        // the name of the row that stores its digestState
	gap     time.Duration // between two notices
}

var (
	requestsDigest = digest{outbox.AccessRequests, "access_requests_digest", time.Hour}
	endingsDigest  = digest{outbox.AccessEndings, "access_endings_digest", 24 * time.Hour}
)

// digestState is when a digest was last written, and whether there is something new since.
type digestState struct {
	WrittenAt int64 `json:"written_at"` // microseconds; 0 for never
	More      bool  `json:"more"`
}

// prepareDigest inserts the row of a digest's state if there is none.
func (s *Store) prepareDigest(ctx context.Context, d digest) error {
	_, err := read(ctx, s, (*dbsqlc.Queries).GetSetting, d.setting)
	if !dbconn.IsNoRows(err) {
		return translate("get digest", err)
	}
	err = s.writer().InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: d.setting, Value: "{}", UpdatedAt: micros(s.now())})
	if IsDuplicate(err) { // another call was faster
		return nil
	}
	return translate("insert digest", err)
}

// addToDigest makes sure that the administrators get a digest of something new: at once, unless the last one was
// written within the digest's gap. The administrator with the id but doesn't get it at once. The caller has locked the
// digest's row.
func (s *Store) addToDigest(ctx context.Context, q queries, d digest, but string, now time.Time) error {
	if !s.notices {
		return nil
	}
	was, state, err := readDigest(ctx, q, d)
	if err != nil {
		return err
	}
	next := digestState{WrittenAt: micros(now)}
	if !state.isDue(d, now) {
		next = digestState{WrittenAt: state.WrittenAt, More: true}
	} else if err := s.writeDigest(ctx, q, d, but, now); err != nil {
		return err
	}
	return setDigest(ctx, q, d, was, next, now)
}

// isDue reports whether the digest may be written again. A time in the future was written before a clock was set back.
func (state digestState) isDue(d digest, now time.Time) bool {
	written := fromMicros(state.WrittenAt)
	return written.After(now) || !now.Before(written.Add(d.gap))
}

func readDigest(ctx context.Context, q queries, d digest) (was string, state digestState, err error) {
	was, err = q.GetSetting(ctx, d.setting)
	if err == nil {
		err = json.Unmarshal([]byte(was), &state)
	}
	return was, state, err
}

func setDigest(ctx context.Context, q queries, d digest, was string, next digestState, now time.Time) error {
	value, err := json.Marshal(next)
	if err != nil || string(value) == was {
		return err
	}
	_, err = q.SetSetting(ctx, dbsqlc.SetSettingParams{Value: string(value), UpdatedAt: micros(now), Name: d.setting, Was: was})
	return err
}

// writeDigest inserts jobs that send a digest to the administrators who have none pending.
func (s *Store) writeDigest(ctx context.Context, q queries, d digest, but string, now time.Time) error {
	admins, err := q.ListActiveAdmins(ctx, dbsqlc.ListActiveAdminsParams{But: but, Limit: maxNotices})
	if err != nil {
		return err
	}
	for _, row := range admins {
		admin := toUser(row)
		job := outbox.NewTopicNotice(d.topic, admin.Email.Normalized, admin.ID, "", now)
		pending, err := q.ListJobsOf(ctx, job.Subject)
		if err != nil {
			return err
		}
		if hasTopic(pending, d.topic) {
			continue
		}
		if err := insertJobs(ctx, q, []outbox.Job{job}); err != nil {
			return err
		}
	}
	return nil
}

func hasTopic(jobs []*dbsqlc.Outbox, topic outbox.Topic) bool {
	for _, job := range jobs {
		if job.Name == string(topic) {
			return true
		}
	}
	return false
}

// WriteDigests writes the digests that are due and have something new. It reports whether it wrote any.
func (s *Store) WriteDigests(ctx context.Context, now time.Time) (bool, error) {
	if !s.notices {
		return false, nil
	}
	wrote := false
	for _, d := range []digest{requestsDigest, endingsDigest} {
		due := false
		err := s.inTx(ctx, "write digest", func(q queries) error {
			due = false
			if _, err := q.LockSetting(ctx, d.setting); err != nil {
				return err
			}
			was, state, err := readDigest(ctx, q, d)
			if dbconn.IsNoRows(err) {
				return nil // nothing has happened yet
			}
			if err != nil || !state.More || !state.isDue(d, now) {
				return err
			}
			due = true
			if err := s.writeDigest(ctx, q, d, "", now); err != nil {
				return err
			}
			return setDigest(ctx, q, d, was, digestState{WrittenAt: micros(now)}, now)
		})
		if err != nil {
			return wrote, err
		}
		wrote = wrote || due
	}
	return wrote, nil
}

// warnBatch is how many users are warned in one transaction.
const warnBatch = 50

// WarnOfEnds writes warnings of memberships that end soon, to their users and the administrators, once for each end
// whichever instance calls it. It returns how many users it warned. Without a mail server it does nothing.
func (s *Store) WarnOfEnds(ctx context.Context, now time.Time) (int, error) {
	if !s.notices {
		return 0, nil
	}
	total := 0
	for {
		found, warned, err := s.warnOfSomeEnds(ctx, now)
		total += warned
		if err != nil || found < warnBatch {
			return total, err
		}
	}
}

func (s *Store) warnOfSomeEnds(ctx context.Context, now time.Time) (found, warned int, err error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).UnwarnedMemberships, dbsqlc.UnwarnedMembershipsParams{
		After: micros(now), Before: micros(now.Add(directory.EndWarning)) - 1, Limit: warnBatch,
	})
	if err != nil || len(rows) == 0 {
		return 0, 0, translate("find memberships that end", err)
	}
	if err := s.prepareDigest(ctx, endingsDigest); err != nil {
		return 0, 0, err
	}
	err = s.inTx(ctx, "warn of ends", func(q queries) error {
		warned = 0
		if _, err := q.LockSetting(ctx, endingsDigest.setting); err != nil {
			return err
		}
		for _, row := range rows {
			n, err := s.warnOfEnd(ctx, q, row, now)
			if err != nil {
				return err
			}
			warned += n
		}
		if warned == 0 {
			return nil
		}
		return s.addToDigest(ctx, q, endingsDigest, "", now)
	})
	return len(rows), warned, err
}

// warnOfEnd marks the end of a membership as warned of, inserts the job of the warning and returns 1, unless another
// instance did or the end has changed.
func (s *Store) warnOfEnd(ctx context.Context, q queries, m *dbsqlc.GroupMember, now time.Time) (int, error) {
	n, err := q.SetMemberWarned(ctx, dbsqlc.SetMemberWarnedParams{
		GroupID: m.GroupID, UserID: m.UserID, UntilAt: m.UntilAt, WarnedUntil: m.WarnedUntil,
	})
	if err != nil || n == 0 {
		return 0, err
	}
	row, err := q.GetUser(ctx, m.UserID)
	if err != nil {
		return 0, err
	}
	u := toUser(row)
	job := outbox.NewTopicNotice(outbox.AccessEnds, u.Email.Normalized, u.ID, m.GroupID, now)
	return 1, insertJobs(ctx, q, []outbox.Job{job})
}

// noticeUser inserts a job that tells a user the decision about their request.
func (s *Store) noticeUser(ctx context.Context, q queries, u directory.User, e event.Event) error {
	if !s.notices {
		return nil
	}
	topic := outbox.AccessDenied
	if e.Kind == event.AccessApproved {
		topic = outbox.AccessApproved
	}
	return insertJobs(ctx, q, []outbox.Job{outbox.NewTopicNotice(topic, u.Email.Normalized, u.ID, e.ID, e.At)})
}

// addDecision fills in a notice of a decision about a request.
func (s *Store) addDecision(ctx context.Context, e event.Event, n *outbox.Notice) error {
	n.App = e.Reason
	for _, c := range e.Changes {
		switch c.Field {
		case "reason":
			n.Why = c.New
		case "until":
			until, err := time.Parse(time.RFC3339, c.New)
			if err != nil {
				return err
			}
			n.Until = until
		}
	}
	if n.Topic == outbox.AccessDenied {
		n.AskAgain = e.At.Add(apps.AskAgainAfter)
	}
	a, err := s.GetAppByName(ctx, e.Reason)
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	n.AppID = a.ID
	if a.Enabled {
		n.AppURL = a.Link()
	}
	return err
}

// maxNoticePeople is how many users a notice names.
const maxNoticePeople = 5

// addWaiting fills in the users who wait for access, except the recipient, who can't decide their own request.
func (s *Store) addWaiting(ctx context.Context, recipient directory.User, n *outbox.Notice) error {
	list, err := s.ListRequests(ctx, apps.RequestQuery{State: apps.RequestPending, Limit: 100})
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.UserID == recipient.ID {
			continue
		}
		addPerson(n, outbox.NoticeItem{
			At: r.CreatedAt, Name: r.User.Name, Email: r.User.Email.Display, About: r.App.Name, Note: r.Note, UserID: r.UserID,
		})
	}
	if len(n.People) == 0 {
		return directory.ErrNotFound
	}
	return nil
}

// addEndings fills in the users whose memberships end soon.
func (s *Store) addEndings(ctx context.Context, n *outbox.Notice) error {
	now := s.now()
	list, err := s.ListMembershipsEnding(ctx, now, now.Add(directory.EndWarning), 100)
	if err != nil {
		return err
	}
	for _, m := range list {
		addPerson(n, outbox.NoticeItem{
			At: m.Until, Name: m.User.Name, Email: m.User.Email.Display, About: m.GroupName, UserID: m.UserID, GroupID: m.GroupID,
		})
	}
	if len(n.People) == 0 {
		return directory.ErrNotFound
	}
	return nil
}

func addPerson(n *outbox.Notice, item outbox.NoticeItem) {
	if len(n.People) == maxNoticePeople {
		n.More++
		return
	}
	n.People = append(n.People, item)
}

// addEnd fills in a membership of the recipient that ends soon. The error wraps directory.ErrNotFound if it was renewed
// or has ended.
func (s *Store) addEnd(ctx context.Context, u directory.User, groupID string, n *outbox.Notice) error {
	memberships, err := s.ListMemberships(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		if m.GroupID == groupID && m.Ending(s.now()) {
			n.Group, n.Until = m.GroupName, m.Until
		}
	}
	if n.Until.IsZero() {
		return directory.ErrNotFound
	}
	opened, err := s.ListAppsOfGroup(ctx, groupID)
	for _, a := range opened {
		if !a.Enabled {
			continue
		}
		n.Apps = append(n.Apps, a.Name)
		if a.AllowRequests && n.AppID == "" {
			n.AppID = a.ID
		}
	}
	return err
}
