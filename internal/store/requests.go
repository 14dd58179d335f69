package store

import (
	"context"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

var _ apps.RequestStore = (*Store)(nil)

// RequestFacts reads what the rules about a request depend on; see apps.RequestStore.
func (s *Store) RequestFacts(ctx context.Context, appID, userID string) (apps.RequestFacts, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	f, err := requestFacts(ctx, q, appID, userID)
	return f, translate("read facts about request", err)
}

func requestFacts(ctx context.Context, q queries, appID, userID string) (apps.RequestFacts, error) {
	app, err := q.GetApp(ctx, appID)
	if err != nil {
		return apps.RequestFacts{}, err
	}
	list, err := withGroups(ctx, q, []*dbsqlc.App{app})
	if err != nil {
		return apps.RequestFacts{}, err
	}
	user, err := q.GetUser(ctx, userID)
	if err != nil {
		return apps.RequestFacts{}, err
	}
	memberships, err := q.MembershipsOfUsers(ctx, []string{userID})
	if err != nil {
		return apps.RequestFacts{}, err
	}
	f := apps.RequestFacts{App: list[0], User: toUser(user), Memberships: toMemberships(memberships)[userID]}
	row, err := q.GetRequestOf(ctx, dbsqlc.GetRequestOfParams{UserID: userID, AppID: appID})
	if dbconn.IsNoRows(err) {
		return f, nil
	}
	if err != nil {
		return apps.RequestFacts{}, err
	}
	r := toRequest(row)
	f.Request = &r
	return f, nil
}

// lockedFacts locks a user, as a removal does first, and an app, and reads what the rules about a request depend on.
func lockedFacts(ctx context.Context, q queries, appID, userID string) (apps.RequestFacts, error) {
	if err := lock(ctx, q.LockUser, userID); err != nil {
		return apps.RequestFacts{}, err
	}
	if err := lock(ctx, q.LockApp, appID); err != nil {
		return apps.RequestFacts{}, err
	}
	return requestFacts(ctx, q, appID, userID)
}

// SaveRequest writes a request in place of an earlier one; see apps.RequestStore.
func (s *Store) SaveRequest(
	ctx context.Context, appID, userID string, rule func(apps.RequestFacts) (apps.Request, event.Event, error),
) error {
	if err := s.prepareDigest(ctx, requestsDigest); err != nil {
		return err
	}
	return s.inTx(ctx, "save request", func(q queries) error {
		if _, err := q.LockSetting(ctx, requestsDigest.setting); err != nil {
			return err
		}
		f, err := lockedFacts(ctx, q, appID, userID)
		if err != nil {
			return err
		}
		r, e, err := rule(f)
		if err != nil {
			return err
		}
		if f.Request != nil {
			if _, err := q.DeleteRequest(ctx, f.Request.ID); err != nil {
				return err
			}
		}
		if err := q.InsertRequest(ctx, dbsqlc.InsertRequestParams{
			ID: r.ID, AppID: r.AppID, UserID: r.UserID, Note: r.Note, State: string(r.State), CreatedAt: micros(r.CreatedAt),
			DecidedAt: micros(r.DecidedAt), DecidedBy: r.DecidedBy, Reason: r.Reason,
		}); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, e); err != nil {
			return err
		}
		return s.addToDigest(ctx, q, requestsDigest, userID, r.CreatedAt)
	})
}

// DecideRequest writes the verdict about a request; see apps.RequestStore.
func (s *Store) DecideRequest(ctx context.Context, id string, rule func(apps.RequestFacts) (apps.Verdict, error)) error {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetRequest, id) // its user and app never change
	if err != nil {
		return translate("get request", err)
	}
	return s.inTx(ctx, "decide request", func(q queries) error {
		f, err := lockedFacts(ctx, q, row.AppID, row.UserID)
		if err != nil {
			return err
		}
		if f.Request != nil && f.Request.ID != id { // the user has asked again
			f.Request = nil
		}
		v, err := rule(f)
		if err != nil {
			return err
		}
		if err := addApprovedMembership(ctx, q, f, v); err != nil {
			return err
		}
		r := v.Request
		if _, err := q.DecideRequest(ctx, dbsqlc.DecideRequestParams{
			State: string(r.State), DecidedAt: micros(r.DecidedAt), DecidedBy: r.DecidedBy, Reason: r.Reason, ID: id,
		}); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, v.Events...); err != nil {
			return err
		}
		return s.noticeUser(ctx, q, f.User, v.Events[0])
	})
}

// addApprovedMembership writes the membership of a verdict, if it has one. It locks the group, so that a removal of it
// leaves no membership behind.
func addApprovedMembership(ctx context.Context, q queries, f apps.RequestFacts, v apps.Verdict) error {
	m := v.Membership
	if m == nil {
		return nil
	}
	_, err := lockedGroup(ctx, q, m.GroupID)
	if dbconn.IsNoRows(err) {
		return &directory.ValidationError{Fields: map[string]string{"group": "This group doesn’t exist any more. Choose another."}}
	}
	if err != nil {
		return err
	}
	var old *directory.Membership
	for i := range f.Memberships {
		if f.Memberships[i].GroupID == m.GroupID {
			old = &f.Memberships[i]
		}
	}
	return writeMembership(ctx, q, m.GroupID, m.UserID, old, m, v.Request.DecidedAt)
}

// GetRequest returns the request with an id; see apps.RequestStore.
func (s *Store) GetRequest(ctx context.Context, id string) (apps.Request, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	row, err := q.GetRequest(ctx, id)
	if err != nil {
		return apps.Request{}, translate("get request", err)
	}
	f, err := requestFacts(ctx, q, row.AppID, row.UserID)
	r := toRequest(row)
	r.App, r.User, r.Memberships = f.App, f.User, f.Memberships
	return r, translate("get request", err)
}

// ListRequests returns a page of requests; see apps.RequestStore.
func (s *Store) ListRequests(ctx context.Context, query apps.RequestQuery) ([]apps.Request, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	list, err := listRequests(ctx, q, query)
	return list, translate("list requests", err)
}

func listRequests(ctx context.Context, q queries, query apps.RequestQuery) ([]apps.Request, error) {
	rows, err := q.ListRequests(ctx, dbsqlc.ListRequestsParams{
		State: string(query.State), After: micros(query.After), AfterID: query.AfterID, Limit: int32(query.Limit),
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	appIDs, userIDs := make([]string, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		appIDs[i], userIDs[i] = r.AccessRequest.AppID, r.User.ID
	}
	found, err := q.AppsByID(ctx, appIDs)
	if err != nil {
		return nil, err
	}
	opened, err := withGroups(ctx, q, found)
	if err != nil {
		return nil, err
	}
	byID := map[string]apps.App{}
	for _, a := range opened {
		byID[a.ID] = a
	}
	members, err := q.MembershipsOfUsers(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	memberships := toMemberships(members)
	list := make([]apps.Request, 0, len(rows))
	for _, row := range rows {
		r := toRequest(&row.AccessRequest)
		r.App, r.User, r.Memberships = byID[r.AppID], toUser(&row.User), memberships[r.UserID]
		if r.App.ID != "" { // otherwise it was removed just now
			list = append(list, r)
		}
	}
	return list, nil
}

// CountPendingRequests counts pending requests; see apps.RequestStore.
func (s *Store) CountPendingRequests(ctx context.Context, limit int) (int, error) {
	n, err := read(ctx, s, (*dbsqlc.Queries).CountRequests, dbsqlc.CountRequestsParams{State: string(apps.RequestPending), Limit: int32(limit)})
	return int(n), translate("count requests", err)
}

func toRequest(r *dbsqlc.AccessRequest) apps.Request {
	return apps.Request{
		ID: r.ID, AppID: r.AppID, UserID: r.UserID, Note: text.Clean(r.Note), State: apps.RequestState(r.State),
		CreatedAt: fromMicros(r.CreatedAt), DecidedAt: fromMicros(r.DecidedAt), DecidedBy: r.DecidedBy, Reason: text.Clean(r.Reason),
	}
}

// toMemberships converts rows to the users' memberships by user id.
func toMemberships(rows []*dbsqlc.MembershipsOfUsersRow) map[string][]directory.Membership {
	byUser := map[string][]directory.Membership{}
	for _, r := range rows {
		byUser[r.UserID] = append(byUser[r.UserID], directory.Membership{
			GroupID: r.GroupID, GroupName: text.Name(r.GroupName), UserID: r.UserID,
			Until: fromMicros(r.UntilAt), AddedBy: r.AddedBy, CreatedAt: fromMicros(r.CreatedAt),
		})
	}
	return byUser
}
