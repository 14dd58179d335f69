package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// maxInvitations is how many invitations to an address Options.Limits allows in an hour,
// which begins with the first. Sign-in links are not counted: the program limits who may
// request them before it calls, and this server does not know who does. A limit by address
// alone would let anyone use up the links of its owner and the invitations of an
// administrator.
const maxInvitations = 10

// countInvitation counts an invitation to an address, or refuses it.
func (s *Server) countInvitation(ctx context.Context, q *dbsqlc.Queries, email string) error {
	if !s.opts.Limits {
		return nil
	}
	now := s.now()
	hourAgo := now - time.Hour.Microseconds()
	// Read first: on MySQL, an UPDATE that matches no row locks the gap where the row
	// would be, and two of them would deadlock with their INSERT.
	limit, err := q.GetLimit(ctx, email)
	if errors.Is(err, sql.ErrNoRows) {
		return wrap("insert limit", q.InsertLimit(ctx, dbsqlc.InsertLimitParams{Email: email, OpenedAt: now}))
	}
	if err != nil {
		return wrap("get limit", err)
	}
	n, err := q.CountMail(ctx, dbsqlc.CountMailParams{Email: email, HourAgo: hourAgo, Most: maxInvitations})
	if err == nil && n == 0 {
		n, err = q.OpenLimit(ctx, dbsqlc.OpenLimitParams{Now: now, Email: email, HourAgo: hourAgo})
	}
	if err != nil || n > 0 {
		return wrap("count invitation", err)
	}
	refused := *errTooManyRequests
	refused.retryAfter = time.Duration(limit.OpenedAt-hourAgo) * time.Microsecond
	return &refused
}

func (s *Server) uncountInvitation(ctx context.Context, email string) error {
	if !s.opts.Limits {
		return nil
	}
	return s.tx(ctx, func(q *dbsqlc.Queries) error {
		_, err := q.UncountMail(ctx, email)
		return err
	})
}
