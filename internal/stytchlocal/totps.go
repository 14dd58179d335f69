package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// A user has at most one authenticator app. It is pending until its first code proves that
// the user has set it up.
const (
	defaultTOTPLifetime      = 24 * time.Hour // of a pending one
	minTOTPLife, maxTOTPLife = 5, 1440        // in minutes

	// After maxTOTPTries incorrect or used codes in a row, no code is compared for totpLock.
	// Tries of recovery codes are counted separately, so that a user whose app is wrong can
	// still use one.
	maxTOTPTries = 5
	totpLock     = 10 * time.Minute
)

type createTOTPResponse struct {
	meta
	TOTPID        string     `json:"totp_id"`
	UserID        string     `json:"user_id"`
	Secret        string     `json:"secret"`
	QRCode        string     `json:"qr_code"`
	RecoveryCodes []string   `json:"recovery_codes"`
	User          userObject `json:"user"`
}

// createTOTP adds a pending authenticator app to a user, in place of an earlier pending
// one. Its secret and recovery codes are not shown again.
func (s *Server) createTOTP(c *call) (response, error) {
	var req struct {
		UserID  string `json:"user_id"`
		Minutes *int64 `json:"expiration_minutes"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	lifetime := defaultTOTPLifetime
	if req.Minutes != nil {
		if *req.Minutes < minTOTPLife || *req.Minutes > maxTOTPLife {
			return nil, errInvalidTOTPExpiration
		}
		lifetime = time.Duration(*req.Minutes) * time.Minute
	}
	out := &createTOTPResponse{TOTPID: newID("totp"), RecoveryCodes: newRecoveryCodes()}
	user, before, err := s.changeUser(c.ctx, req.UserID, func(q *dbsqlc.Queries, user *account) error {
		if err := removePendingTOTP(c.ctx, q, user.UserID); err != nil {
			return err
		}
		key, err := newTOTPKey(s.opts.Product, user)
		if err != nil {
			return err
		}
		out.Secret = key.Secret()
		if out.QRCode, err = drawQRCode(key); err != nil {
			return err
		}
		codes, err := s.hashRecoveryCodes(out.TOTPID, out.RecoveryCodes)
		if err != nil {
			return err
		}
		user.totps = []totpObject{{TOTPID: out.TOTPID}}
		return wrap("insert totp", q.InsertTOTP(c.ctx, dbsqlc.InsertTOTPParams{
			TotpID: out.TOTPID, UserID: user.UserID, Secret: s.project.seal(out.TOTPID, out.Secret), RecoveryCodes: codes,
			CreatedAt: s.now(), ExpiresAt: s.now() + lifetime.Microseconds(),
		}))
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhookIfChanged(before, &user)
	out.UserID, out.User = user.UserID, user.object()
	return out, nil
}

// removePendingTOTP deletes a user's authenticator app unless it was confirmed.
func removePendingTOTP(ctx context.Context, q *dbsqlc.Queries, userID string) error {
	row, err := q.GetTOTPOfUser(ctx, userID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return wrap("get totp", err)
	case row.VerifiedAt > 0:
		return errActiveTOTP
	}
	_, err = q.DeleteTOTP(ctx, row.TotpID)
	return wrap("delete totp", err)
}

type authenticateTOTPResponse struct {
	meta
	authenticated
	TOTPID     string       `json:"totp_id"`
	UserDevice *emptyObject `json:"user_device"`
}

// authenticateTOTP checks a code of an authenticator app. The first one confirms a pending
// app. A code works once.
func (s *Server) authenticateTOTP(c *call) (response, error) {
	var req struct {
		sessionRequest
		UserID string `json:"user_id"`
		Code   string `json:"totp_code"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	switch {
	case recoveryCodePattern.MatchString(req.Code):
		return nil, errRecoveryCodeAsTOTP
	case !codePattern.MatchString(req.Code):
		return nil, errInvalidTOTPCode
	}
	opts, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	row, err := s.findTOTP(c.ctx, req.UserID)
	if err != nil {
		return nil, err
	}
	err = s.countTry(c.ctx, row.TriedAt, func(q *dbsqlc.Queries, now, lockStart int64) (int64, error) {
		return q.TryTOTP(c.ctx, dbsqlc.TryTOTPParams{LockStart: lockStart, Now: now, TotpID: row.TotpID, Most: maxTOTPTries})
	})
	if err != nil {
		return nil, err
	}
	secret, err := s.project.open(row.TotpID, row.Secret)
	if err != nil {
		return nil, err
	}
	step, err := stepOfCode(secret, req.Code, toTime(s.now()))
	if err != nil {
		return nil, err
	}
	granted, err := s.authenticate(c.ctx, authentication{
		userID: row.UserID, gone: errUserNotFound, opts: opts,
		prove: func(q *dbsqlc.Queries, user *account) (factor, error) { return s.spendTOTP(c.ctx, q, user, row, step) },
	})
	return &authenticateTOTPResponse{authenticated: granted, TOTPID: row.TotpID}, err
}

// findTOTP returns the authenticator app of a user with a user id or an external id.
func (s *Server) findTOTP(ctx context.Context, id string) (dbsqlc.StytchTotp, error) {
	user, err := s.findUser(ctx, s.read, id)
	if err != nil {
		return dbsqlc.StytchTotp{}, err
	}
	row, err := s.read.GetTOTPOfUser(ctx, user.UserID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return row, errNoTOTPs
	case err != nil:
		return row, wrap("get totp", err)
	case row.ExpiresAt > 0 && row.ExpiresAt <= s.now():
		return row, errTOTPExpired
	}
	return row, nil
}

// countTry counts a try of a code and commits the count before the code is compared, so
// that no number of concurrent tries exceeds the limit. The function count returns 0 if
// there were too many since lockStart, the latest at triedAt.
func (s *Server) countTry(ctx context.Context, triedAt int64, count func(q *dbsqlc.Queries, now, lockStart int64) (int64, error)) error {
	now := s.now()
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		n, err := count(q, now, now-totpLock.Microseconds())
		if err == nil && n == 0 {
			return errTooManyTries
		}
		return wrap("count try", err)
	})
	if !errors.Is(err, errTooManyTries) {
		return err
	}
	refused := *errTooManyTries
	refused.retryAfter = min(totpLock, max(time.Second, totpLock-time.Duration(now-triedAt)*time.Microsecond))
	return &refused
}

// spendTOTP records that the code of a step was used, confirms a pending authenticator app
// and returns the factor.
func (s *Server) spendTOTP(ctx context.Context, q *dbsqlc.Queries, user *account, row dbsqlc.StytchTotp, step int64) (factor, error) {
	i := slices.IndexFunc(user.totps, func(t totpObject) bool { return t.TOTPID == row.TotpID })
	if i < 0 {
		return factor{}, errNoTOTPs // deleted or replaced since it was read
	}
	verifiedAt := row.VerifiedAt
	if verifiedAt == 0 {
		verifiedAt = s.now()
	}
	n, err := q.SetTOTPUsed(ctx, dbsqlc.SetTOTPUsedParams{Step: step, VerifiedAt: verifiedAt, TotpID: row.TotpID})
	if err != nil {
		return factor{}, wrap("use totp", err)
	}
	if n == 0 {
		return factor{}, errTOTPCodeUsed
	}
	user.totps[i].Verified = true
	return factor{Type: "totp", DeliveryMethod: "authenticator_app", TOTP: &totpFactor{TOTPID: row.TotpID}}, nil
}

// recoverTOTP checks a recovery code. Each works once, after the authenticator app was
// confirmed.
func (s *Server) recoverTOTP(c *call) (response, error) {
	var req struct {
		sessionRequest
		UserID string `json:"user_id"`
		Code   string `json:"recovery_code"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	code := strings.ToLower(strings.TrimSpace(req.Code))
	switch {
	case codePattern.MatchString(code):
		return nil, errTOTPAsRecoveryCode
	case !recoveryCodePattern.MatchString(code):
		return nil, errInvalidRecoveryCode
	}
	opts, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	row, err := s.findTOTP(c.ctx, req.UserID)
	if err != nil {
		return nil, err
	}
	if row.VerifiedAt == 0 {
		return nil, errNoRecoveryCodes
	}
	err = s.countTry(c.ctx, row.RecoveryTriedAt, func(q *dbsqlc.Queries, now, lockStart int64) (int64, error) {
		return q.TryRecoveryCode(c.ctx, dbsqlc.TryRecoveryCodeParams{LockStart: lockStart, Now: now, TotpID: row.TotpID, Most: maxTOTPTries})
	})
	if err != nil {
		return nil, err
	}
	granted, err := s.authenticate(c.ctx, authentication{
		userID: row.UserID, gone: errUserNotFound, opts: opts,
		prove: func(q *dbsqlc.Queries, user *account) (factor, error) {
			return s.spendRecoveryCode(c.ctx, q, user.UserID, row.TotpID, code)
		},
	})
	return &authenticateTOTPResponse{authenticated: granted, TOTPID: row.TotpID}, err
}

type recoveryCodesResponse struct {
	meta
	UserID string              `json:"user_id"`
	TOTPs  []recoveryCodesTOTP `json:"totps"`
}

type recoveryCodesTOTP struct {
	totpObject
	RecoveryCodes []string `json:"recovery_codes"` // always empty: only their hashes are stored
}

// listRecoveryCodes returns a user's authenticator apps. Unlike Stytch, it can't return the
// recovery codes.
func (s *Server) listRecoveryCodes(c *call) (response, error) {
	var req struct {
		UserID string `json:"user_id"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	user, err := s.findUser(c.ctx, s.read, req.UserID)
	if err != nil {
		return nil, err
	}
	if len(user.totps) == 0 {
		return nil, errNoTOTPs
	}
	out := &recoveryCodesResponse{UserID: user.UserID}
	for _, t := range user.totps {
		out.TOTPs = append(out.TOTPs, recoveryCodesTOTP{totpObject: t, RecoveryCodes: []string{}})
	}
	return out, nil
}

type deleteTOTPResponse struct {
	meta
	UserID string     `json:"user_id"`
	User   userObject `json:"user"`
}

// deleteTOTP removes an authenticator app and its recovery codes. Sessions that it proved
// stay.
func (s *Server) deleteTOTP(c *call) (response, error) {
	if !isID("totp", c.id) {
		return nil, errInvalidTOTPID
	}
	var user account
	var row dbsqlc.StytchTotp
	err := s.readThenTx(c.ctx, func() (err error) {
		row, err = s.read.GetTOTP(c.ctx, c.id)
		if errors.Is(err, sql.ErrNoRows) || err == nil && row.ExpiresAt > 0 && row.ExpiresAt <= s.now() {
			return errTOTPNotFound
		}
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		if user, err = s.lockUser(c.ctx, q, row.UserID); err != nil {
			return err
		}
		n, err := q.DeleteTOTP(c.ctx, row.TotpID)
		if err == nil && n == 0 {
			return errTOTPNotFound
		}
		user.totps = nil
		return wrap("delete totp", err)
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhook(userUpdated, &user)
	return &deleteTOTPResponse{UserID: user.UserID, User: user.object()}, nil
}
