package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// maxInvitations is how many invitations Options.Limits allows for an address, in an
// hour that begins with the first. Sign-in links are not counted here: the program
// limits who may ask for them before it calls, and by whom is not known here. A
// second limit on the address alone would let anybody use up the links of its owner
// and the invitations of an administrator.
const maxInvitations = 10

// countInvitation counts an invitation to an address, or refuses it.
func (s *Server) countInvitation(ctx context.Context, q *dbsqlc.Queries, email string) error {
	if !s.opts.Limits {
		return nil
	}
	now := s.now()
	hourAgo := now - time.Hour.Microseconds()
	// Looked at first: on MySQL an UPDATE that finds no row locks the gap where the
	// row would be, and two of them would wait for each other with their INSERT.
	limit, err := q.GetLimit(ctx, email)
	if errors.Is(err, sql.ErrNoRows) {
		err = q.InsertLimit(ctx, dbsqlc.InsertLimitParams{Email: email, OpenedAt: now})
		if err != nil {
			return fmt.Errorf("insert limit: %w", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("get limit: %w", err)
	}
	n, err := q.CountMail(ctx, dbsqlc.CountMailParams{Email: email, HourAgo: hourAgo, Most: maxInvitations})
	if err == nil && n == 0 {
		n, err = q.OpenLimit(ctx, dbsqlc.OpenLimitParams{Now: now, Email: email, HourAgo: hourAgo})
	}
	if err != nil {
		return fmt.Errorf("count invitation: %w", err)
	}
	if n == 0 {
		refused := *errTooManyRequests
		refused.retryAfter = time.Duration(limit.OpenedAt-hourAgo) * time.Microsecond
		return &refused
	}
	return nil
}

// uncountInvitation takes back what countInvitation counted.
func (s *Server) uncountInvitation(ctx context.Context, email string) error {
	if !s.opts.Limits {
		return nil
	}
	return s.tx(ctx, func(q *dbsqlc.Queries) error {
		_, err := q.UncountMail(ctx, email)
		return err
	})
}
