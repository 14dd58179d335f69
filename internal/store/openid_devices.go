package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CreateDeviceCode inserts a device code; see openid.DeviceStore.
func (s *Store) CreateDeviceCode(ctx context.Context, d openid.DeviceCode) error {
	err := s.writer().InsertDeviceCode(ctx, dbsqlc.InsertDeviceCodeParams{
		DeviceHash: d.Hash, UserCodeHash: d.UserCodeHash, AppID: d.AppID, Scope: string(d.Scope), Address: d.Address,
		PollInterval: int64(d.Interval / time.Second), NextPollAt: micros(d.NextPollAt), CreatedAt: micros(d.CreatedAt), ExpiresAt: micros(d.ExpiresAt),
	})
	if dbconn.IsDuplicate(err) {
		return openid.ErrUserCodeTaken
	}
	return translate("create device code", err)
}

// GetDeviceCode returns a device code by its hash.
func (s *Store) GetDeviceCode(ctx context.Context, hash string) (openid.DeviceCode, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetDeviceCode, hash)
	if err != nil {
		return openid.DeviceCode{}, translate("get device code", err)
	}
	return toDeviceCode(row), nil
}

// GetDeviceCodeByUserCode returns a device code by the hash of its user code.
func (s *Store) GetDeviceCodeByUserCode(ctx context.Context, userCodeHash string) (openid.DeviceCode, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetDeviceCodeByUserCode, userCodeHash)
	if err != nil {
		return openid.DeviceCode{}, translate("get device code by user code", err)
	}
	return toDeviceCode(row), nil
}

func toDeviceCode(r *dbsqlc.DeviceCode) openid.DeviceCode {
	return openid.DeviceCode{
		Hash: r.DeviceHash, UserCodeHash: r.UserCodeHash, AppID: r.AppID, Scope: openid.Scope(r.Scope), State: openid.DeviceState(r.State),
		UserID: r.UserID, Address: r.Address, Interval: time.Duration(r.PollInterval) * time.Second,
		NextPollAt: fromMicros(r.NextPollAt), CreatedAt: fromMicros(r.CreatedAt), ExpiresAt: fromMicros(r.ExpiresAt),
	}
}

// SetDevicePoll writes when a device may poll again; see openid.DeviceStore.
func (s *Store) SetDevicePoll(ctx context.Context, d openid.DeviceCode) error {
	_, err := s.writer().SetDevicePoll(ctx, dbsqlc.SetDevicePollParams{
		PollInterval: int64(d.Interval / time.Second), NextPollAt: micros(d.NextPollAt), DeviceHash: d.Hash,
	})
	return translate("set poll of device", err)
}

// DecideDeviceCode writes a user's decision; see openid.DeviceStore.
func (s *Store) DecideDeviceCode(ctx context.Context, d openid.DeviceCode, g *openid.Grant, e event.Event) error {
	return s.inTx(ctx, "decide device code", func(q queries) error {
		n, err := q.DecideDeviceCode(ctx, dbsqlc.DecideDeviceCodeParams{Decision: string(d.State), UserID: d.UserID, DeviceHash: d.Hash})
		if err := requireOneRow(n, err, openid.ErrUsed); err != nil {
			return err
		}
		if g != nil {
			if err := q.InsertGrant(ctx, grantParams(*g)); err != nil {
				return err
			}
		}
		return insertEvents(ctx, q, e)
	})
}

// DeleteExpiredDeviceCodes deletes device codes that had expired at a time. It is housekeeping: expiry is checked on
// every use.
func (s *Store) DeleteExpiredDeviceCodes(ctx context.Context, now time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete expired device codes", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredDeviceCodes(ctx, dbsqlc.ExpiredDeviceCodesParams{ExpiresAt: micros(now), Limit: limit})
	}, func(q queries, hash string) (int64, error) { return q.DeleteDeviceCode(ctx, hash) })
}
