package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
)

type jsonRequests struct {
	Requests   []apps.RequestJSON `json:"requests"`
	NextCursor *string            `json:"next_cursor"` // null on the last page
}

func (s *server) apiListRequests(w http.ResponseWriter, r *http.Request) error {
	q, err := parseRequestQuery(r.URL.Query())
	if err != nil {
		return err
	}
	limit := q.Limit
	q.Limit++ // one more shows whether there are more
	list, err := s.opts.Requests.List(r.Context(), q)
	if err != nil {
		return err
	}
	answer := jsonRequests{Requests: []apps.RequestJSON{}}
	for _, request := range list[:min(len(list), limit)] {
		answer.Requests = append(answer.Requests, apps.NewRequestJSON(request))
	}
	if len(list) > limit {
		next := requestCursor(list[limit-1])
		answer.NextCursor = &next
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// parseRequestQuery parses state, limit and cursor. The error is a *directory.ValidationError.
func parseRequestQuery(v url.Values) (apps.RequestQuery, error) {
	q := apps.RequestQuery{State: apps.RequestPending, Limit: maxRequests}
	fields := map[string]string{}
	if v.Get("state") != "" {
		q.State = apps.RequestState(v.Get("state"))
	}
	if !apps.IsRequestState(string(q.State)) {
		fields["state"] = "Choose pending, approved or denied."
	}
	if cursor := v.Get("cursor"); cursor != "" {
		at, id, found := strings.Cut(cursor, "_")
		var err error
		if q.After, err = time.Parse(time.RFC3339Nano, at); err != nil || !found || len(id) > 36 {
			fields["cursor"] = "This cursor belongs to another list. Start again without a cursor."
		}
		q.AfterID = id
	}
	readLimit(v, &q.Limit, maxListedRequests, "requests", fields)
	if len(fields) > 0 {
		return q, &directory.ValidationError{Fields: fields}
	}
	return q, nil
}

// maxListedRequests is how many requests a response may have.
const maxListedRequests = 200

// requestCursor returns the cursor of the page after a request.
func requestCursor(r apps.Request) string {
	return r.CreatedAt.UTC().Format(time.RFC3339Nano) + "_" + r.ID
}

// apiApproveRequest approves a request. Without a group, the app must have only one; without an
// end, the access has none.
func (s *server) apiApproveRequest(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Group optional `json:"group"`
		Until optional `json:"until"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	until, err := directory.ParseUntil(body.Until.text, s.opts.Now())
	if err != nil {
		return &directory.ValidationError{Fields: map[string]string{"until": err.Error()}}
	}
	decided, err := s.opts.Requests.Approve(r.Context(), originOf(r), r.PathValue("id"), apps.Approval{Group: body.Group.text, Until: until})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, apps.NewRequestJSON(decided))
	return nil
}

func (s *server) apiDenyRequest(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Reason optional `json:"reason"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	decided, err := s.opts.Requests.Deny(r.Context(), originOf(r), r.PathValue("id"), body.Reason.text)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, apps.NewRequestJSON(decided))
	return nil
}
