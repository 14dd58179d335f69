package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

// ListFactors returns a user's factors; see factor.Store.
func (s *Store) ListFactors(ctx context.Context, userID string) ([]factor.Factor, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListFactors, userID)
	return toFactors(rows), translate("list factors", err)
}

// GetFactorByProvider returns a factor and its user's address and id at Stytch; see session.Store.
func (s *Store) GetFactorByProvider(ctx context.Context, providerID string) (factor.Factor, directory.Email, string, error) {
	r, err := read(ctx, s, (*dbsqlc.Queries).GetFactorByProvider, providerID)
	if err != nil {
		return factor.Factor{}, directory.Email{}, "", translate("get factor", err)
	}
	f := toFactor(&dbsqlc.UserFactor{
		ID: r.ID, UserID: r.UserID, Kind: r.Kind, ProviderID: r.ProviderID, Name: r.Name, CodesLeft: r.CodesLeft, CreatedAt: r.CreatedAt, LastUsedAt: r.LastUsedAt,
	})
	return f, directory.Email{Display: text.Clean(r.Email), Normalized: r.EmailKey}, r.StytchUserID, nil
}

// AddFactor inserts a factor that a session has proven; see factor.Store.
func (s *Store) AddFactor(ctx context.Context, a factor.Addition, rule func(have []factor.Factor) error) error {
	f := a.Factor
	var refused error // by the rule
	err := s.inTx(ctx, "add factor", func(q queries) error {
		n, err := q.LockUser(ctx, f.UserID)
		if err := requireOneRow(n, err, directory.ErrNotFound); err != nil {
			return err
		}
		have, err := q.ListFactors(ctx, f.UserID)
		if err != nil {
			return err
		}
		if refused = rule(toFactors(have)); refused != nil {
			return refused
		}
		if err := q.InsertFactor(ctx, dbsqlc.InsertFactorParams{
			ID: f.ID, UserID: f.UserID, Kind: string(f.Kind), ProviderID: f.ProviderID, Name: f.Name, CodesLeft: int64(f.CodesLeft),
			CreatedAt: micros(f.CreatedAt), LastUsedAt: micros(f.LastUsedAt), CredentialID: f.CredentialID,
		}); err != nil {
			return err
		}
		if err := addProof(ctx, q, a.SessionHash, f.Kind, f.CreatedAt); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, a.Event); err != nil {
			return err
		}
		return s.noticeFactorsOf(ctx, q, f.UserID, a.Event)
	})
	if refused != nil {
		return refused
	}
	return err
}

// AddProof adds a proven factor to a session; see session.Store.
func (s *Store) AddProof(ctx context.Context, p session.NewProof) error {
	return s.inTx(ctx, "add proof", func(q queries) error {
		if err := useFactor(ctx, q, p.UserID, p.FactorID, p.At, p.Codes); err != nil {
			return err
		}
		if err := addProof(ctx, q, p.SessionHash, p.Kind, p.At); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, p.Event); err != nil || p.Kind != factor.RecoveryCode {
			return err
		}
		return s.noticeFactorsOf(ctx, q, p.UserID, p.Event)
	})
}

// addProof adds a proven factor to a session, which it locks.
func addProof(ctx context.Context, q queries, sessionHash string, kind factor.Kind, at time.Time) error {
	n, err := q.LockSession(ctx, sessionHash)
	if err := requireOneRow(n, err, directory.ErrNotFound); err != nil {
		return err
	}
	row, err := q.GetSession(ctx, sessionHash)
	if err != nil {
		return err
	}
	proofs := factor.Proofs(row.Factors).With(kind, at)
	_, err = q.SetSessionFactors(ctx, dbsqlc.SetSessionFactorsParams{Factors: string(proofs), TokenHash: sessionHash})
	return err
}

// useFactor records that a factor was used, and that recovery codes of it were. An empty id is ignored. If the factor is
// gone, it returns session.ErrPasskeyUnknown.
func useFactor(ctx context.Context, q queries, userID, id string, at time.Time, codes int) error {
	if id == "" {
		return nil
	}
	n, err := q.UseFactor(ctx, dbsqlc.UseFactorParams{UsedAt: micros(at), Codes: int64(codes), UserID: userID, ID: id})
	return requireOneRow(n, err, session.ErrPasskeyUnknown)
}

// RenameFactor renames a factor; see factor.Store.
func (s *Store) RenameFactor(ctx context.Context, userID, id, name string, e event.Event) error {
	return s.inTx(ctx, "rename factor", func(q queries) error {
		n, err := q.RenameFactor(ctx, dbsqlc.RenameFactorParams{Name: name, UserID: userID, ID: id})
		if err := requireOneRow(n, err, directory.ErrNotFound); err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// RemoveFactors deletes factors of a user; see factor.Store.
func (s *Store) RemoveFactors(ctx context.Context, userID string, rule func(u directory.User, have []factor.Factor) factor.Removal) ([]factor.Factor, error) {
	var removed []factor.Factor
	err := s.inTx(ctx, "remove factors", func(q queries) error {
		removed = nil
		n, err := q.LockUser(ctx, userID)
		if err := requireOneRow(n, err, directory.ErrNotFound); err != nil {
			return err
		}
		row, err := q.GetUser(ctx, userID)
		if err != nil {
			return err
		}
		rows, err := q.ListFactors(ctx, userID)
		if err != nil {
			return err
		}
		u := toUser(row)
		r := rule(u, toFactors(rows))
		if len(r.Factors) == 0 {
			return nil
		}
		for _, f := range r.Factors {
			if _, err := q.DeleteFactor(ctx, dbsqlc.DeleteFactorParams{UserID: userID, ID: f.ID}); err != nil {
				return err
			}
		}
		if _, ok := factor.FindTOTP(r.Factors); ok {
			if _, err := q.ClearSecondFactors(ctx, userID); err != nil {
				return err
			}
		}
		if err := insertEvents(ctx, q, r.Events...); err != nil {
			return err
		}
		if err := insertJobs(ctx, q, r.Jobs); err != nil {
			return err
		}
		removed = r.Factors
		return s.noticeFactors(ctx, q, u, r.Events[len(r.Events)-1])
	})
	return removed, err
}

// hasTOTP reports whether a user has an authenticator app.
func hasTOTP(ctx context.Context, q queries, userID string) (bool, error) {
	rows, err := q.ListFactors(ctx, userID)
	_, ok := factor.FindTOTP(toFactors(rows))
	return ok, err
}

// deleteFactors deletes all factors of a user who is removed. Stytch deletes them with the account.
func deleteFactors(ctx context.Context, q queries, userID string) error {
	if _, err := q.DeleteFactorsOfUser(ctx, userID); err != nil {
		return err
	}
	if _, err := q.DeletePasskeyOffer(ctx, userID); err != nil {
		return err
	}
	_, err := q.DeleteHostLink(ctx, userID)
	return err
}

// OfferPasskey reports whether to offer a passkey in a session; see factor.Store.
func (s *Store) OfferPasskey(ctx context.Context, userID, sessionHash string, now time.Time) (bool, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetPasskeyOffer, userID)
	if err == nil {
		return row.SessionHash == sessionHash, nil
	}
	if !dbconn.IsNoRows(err) {
		return false, translate("get passkey offer", err)
	}
	err = s.writer().InsertPasskeyOffer(ctx, dbsqlc.InsertPasskeyOfferParams{UserID: userID, SessionHash: sessionHash, OfferedAt: micros(now)})
	if IsDuplicate(err) { // made by another request; the next one reads it
		return false, nil
	}
	return err == nil, translate("offer passkey", err)
}

// AnswerPasskeyOffer ends the offer; see factor.Store.
func (s *Store) AnswerPasskeyOffer(ctx context.Context, userID string) error {
	_, err := s.writer().AnswerPasskeyOffer(ctx, userID)
	return translate("answer passkey offer", err)
}

func toFactors(rows []*dbsqlc.UserFactor) []factor.Factor {
	list := make([]factor.Factor, len(rows))
	for i, r := range rows {
		list[i] = toFactor(r)
	}
	return list
}

func toFactor(r *dbsqlc.UserFactor) factor.Factor {
	return factor.Factor{
		ID: r.ID, UserID: r.UserID, Kind: factor.Kind(r.Kind), ProviderID: r.ProviderID, CredentialID: r.CredentialID, Name: text.Name(r.Name), CodesLeft: int(r.CodesLeft),
		CreatedAt: fromMicros(r.CreatedAt), LastUsedAt: fromMicros(r.LastUsedAt),
	}
}
