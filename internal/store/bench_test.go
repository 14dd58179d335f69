package store_test

import (
	"fmt"
	"net/url"
	"runtime"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

// BenchmarkStore reads from a directory of two hundred users.
func BenchmarkStore(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(testing.TB) string
	}{{"sqlite", testdb.SQLite}, {"mysql", testdb.MySQL}} {
		b.Run("engine="+engine.name, func(b *testing.B) {
			s := open(b, engine.open(b))
			people := directory.New(directory.Options{Store: s, Now: storetest.Now})
			for i := range 200 {
				entry := directory.UserInput{Email: fmt.Sprintf("person%d@example.com", i), Name: fmt.Sprintf("Person %d", i)}
				if _, err := people.Add(b.Context(), directory.Actor{}, entry); err != nil {
					b.Fatal(err)
				}
			}
			newSession(b, s)
			newCredential(b, s)
			getSession := func() error {
				found, err := s.GetSession(b.Context(), session.Hash("token"))
				if err == nil && found.User.ID != "ada" {
					err = fmt.Errorf("found the session of %s", found.User.ID)
				}
				return err
			}
			b.Run("GetSession", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := getSession(); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("CheckSession", func(b *testing.B) { // of a user in three groups
				b.ReportAllocs()
				for b.Loop() {
					state, err := s.CheckSession(b.Context(), "wiki.example.com", "cookie")
					if err != nil || len(state.Memberships) != 3 {
						b.Fatalf("%d memberships, %v", len(state.Memberships), err)
					}
				}
			})
			b.Run("GetSession/callers=32", func(b *testing.B) {
				b.SetParallelism(max(1, 32/runtime.GOMAXPROCS(0)))
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := getSession(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
			for name, query := range map[string]directory.Query{
				"ListUsers": {Sort: directory.ByName, Limit: 50},
				"Search":    {Sort: directory.ByName, Limit: 50, Terms: []string{"person1", "com"}},
			} {
				b.Run(name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if page, err := s.ListUsers(b.Context(), query); err != nil || len(page.Users) != 50 {
							b.Fatalf("%d people, %v", len(page.Users), err)
						}
					}
				})
			}
		})
	}
}

// newSession signs in a user with the token "token".
func newSession(b *testing.B, s *store.Store) {
	b.Helper()
	email, err := directory.ParseEmail("ada@example.com")
	if err != nil {
		b.Fatal(err)
	}
	request := session.SignInRequest{Email: email, Session: session.Session{TokenHash: session.Hash("token"), StytchSessionID: "session-test-1", ExpiresAt: storetest.Now()}}
	_, err = s.CreateSession(b.Context(), request, func(directory.Applicant) (directory.User, []event.Event, error) {
		return directory.User{ID: "ada", Email: email, Role: directory.Admin, Status: directory.Active}, nil, nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// newCredential adds an app, a credential with the hash "cookie" for it and the session of newSession, and three groups
// of its user, one of which opens the app.
func newCredential(b *testing.B, s *store.Store) {
	b.Helper()
	groups := directory.NewGroups(s, storetest.Now)
	var opens string
	for _, name := range []string{"Engineers", "Editors", "Visitors"} {
		g, err := groups.Create(b.Context(), event.Origin{}, name)
		if err != nil {
			b.Fatal(err)
		}
		if err := groups.Join(b.Context(), event.Origin{}, g.ID, "ada", time.Time{}); err != nil {
			b.Fatal(err)
		}
		opens = g.ID
	}
	own := apps.Own{BaseURL: &url.URL{Scheme: "https", Host: "people.example.com"}}
	a, err := apps.New(apps.Options{Store: s, Own: own, Now: storetest.Now}).Create(b.Context(), event.Origin{}, apps.Input{
		Name: "Wiki", URL: "https://wiki.example.com", Audience: "groups", GroupIDs: []string{opens},
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.CreateCode(b.Context(), apps.Code{Hash: "code", AppID: a.ID, SessionHash: session.Hash("token")}); err != nil {
		b.Fatal(err)
	}
	if err := s.RedeemCode(b.Context(), "code", time.Time{}, func(c apps.Code, _ session.Session, _ int) (apps.Credential, error) {
		return apps.Credential{CookieHash: "cookie", AppID: c.AppID, SessionHash: c.SessionHash}, nil
	}); err != nil {
		b.Fatal(err)
	}
}
