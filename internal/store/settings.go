package store

import (
	"context"
	"crypto/rand"

	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CookieKey returns the secret that cookies are signed and encrypted with when
// none is set, made on first use and shared by all instances.
func (s *Store) CookieKey(ctx context.Context) (string, error) {
	const name = "cookie_key"
	key, err := s.queries().GetSetting(ctx, name)
	if err == nil || !isNoRows(err) {
		return key, translate("get cookie key", err)
	}
	made := dbsqlc.InsertSettingParams{Name: name, Value: rand.Text() + rand.Text(), UpdatedAt: micros(s.now())} // 260 random bits
	err = dbsqlc.New(s.write).InsertSetting(ctx, made)
	if IsDuplicate(err) { // another instance was quicker: its key counts
		key, err = s.queries().GetSetting(ctx, name)
		return key, translate("get cookie key", err)
	}
	return made.Value, translate("keep cookie key", err)
}
