package storetest

import (
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
)

var deviceRows = []row{
	{"device code is created, polled and read by both codes", single(testDeviceCode)},
	{"user code belongs to one device", single(testUserCodeTaken)},
	{"device is decided once, also on two instances", testDecideDevice},
	{"expired device codes, and no others, are deleted", single(testDeleteDeviceCodes)},
}

func deviceCode() openid.DeviceCode {
	return openid.DeviceCode{
		Hash: newID(), UserCodeHash: newID(), AppID: newID(), Scope: "openid email", State: openid.DevicePending, Address: "192.0.2.1",
		Interval: 5 * time.Second, NextPollAt: Now(), CreatedAt: Now(), ExpiresAt: Now().Add(10 * time.Minute),
	}
}

func createDevice(t *testing.T, s Store, d openid.DeviceCode) openid.DeviceCode {
	t.Helper()
	if err := s.CreateDeviceCode(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d
}

func wantDevice(t *testing.T, s Store, want openid.DeviceCode) {
	t.Helper()
	got, err := s.GetDeviceCode(t.Context(), want.Hash)
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	got, err = s.GetDeviceCodeByUserCode(t.Context(), want.UserCodeHash)
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func testDeviceCode(t *testing.T, s Store) {
	d, other := createDevice(t, s, deviceCode()), createDevice(t, s, deviceCode())
	wantDevice(t, s, d)
	d.Interval, d.NextPollAt = 10*time.Second, Now().Add(9*time.Second)
	if err := s.SetDevicePoll(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	wantDevice(t, s, d)
	wantDevice(t, s, other)
	for _, hash := range []string{"", "x", d.UserCodeHash} {
		if _, err := s.GetDeviceCode(t.Context(), hash); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%q: %v", hash, err)
		}
	}
	if _, err := s.GetDeviceCodeByUserCode(t.Context(), d.Hash); !errors.Is(err, directory.ErrNotFound) {
		t.Error(err)
	}
}

func testUserCodeTaken(t *testing.T, s Store) {
	d, second := createDevice(t, s, deviceCode()), deviceCode()
	second.UserCodeHash = d.UserCodeHash
	if err := s.CreateDeviceCode(t.Context(), second); !errors.Is(err, openid.ErrUserCodeTaken) {
		t.Error(err)
	}
	wantDevice(t, s, d)
}

func testDecideDevice(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	d := createDevice(t, stores[0], deviceCode())
	decided := 0
	for _, err := range concurrently(10, func(i int) error {
		mine := d
		mine.State, mine.UserID = openid.DeviceDenied, newID()
		var g *openid.Grant
		if i%2 == 0 {
			mine.State = openid.DeviceAllowed
			g = &openid.Grant{ID: newID(), AppID: d.AppID, UserID: mine.UserID, SessionHash: newID(), CodeHash: d.Hash, CreatedAt: Now(), ExpiresAt: Now()}
		}
		return stores[i%2].DecideDeviceCode(t.Context(), mine, g, event.New(event.DeviceAllowed, Now(), mine.UserID, "", "Wiki"))
	}) {
		switch {
		case err == nil:
			decided++
		case !errors.Is(err, openid.ErrUsed):
			t.Error(err)
		}
	}
	got, err := stores[0].GetDeviceCode(t.Context(), d.Hash)
	if err != nil || decided != 1 || got.State == openid.DevicePending || got.UserID == "" {
		t.Errorf("decided %d times: %+v, %v", decided, got, err)
	}
	got.Interval = time.Hour
	if err := stores[0].SetDevicePoll(t.Context(), got); err != nil {
		t.Error(err)
	}
	got.Interval = d.Interval
	wantDevice(t, stores[1], got) // only a pending one is polled
}

func testDeleteDeviceCodes(t *testing.T, s Store) {
	live, expired := createDevice(t, s, deviceCode()), deviceCode()
	expired.ExpiresAt = Now()
	createDevice(t, s, expired)
	if n, err := s.DeleteExpiredDeviceCodes(t.Context(), Now()); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	wantDevice(t, s, live)
	if _, err := s.GetDeviceCode(t.Context(), expired.Hash); !errors.Is(err, directory.ErrNotFound) {
		t.Error(err)
	}
}
