//go:build linux

package main

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/session"
)

// Sizes relative to the number of people: 1,000 apps and 10,000 groups for 100,000 people.
const (
	peoplePerApp      = 100
	peoplePerGroup    = 10
	groupsPerPerson   = 3
	groupsPerApp      = 20
	maxApps           = apps.MaxApps
	credentialLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

func appHost(i int) string    { return fmt.Sprintf("app%d.example.com", i) }
func appID(i int) string      { return fmt.Sprintf("01930000-0000-7000-8000-%012x", i) }
func groupID(i int) string    { return fmt.Sprintf("01930000-0000-7000-9000-%012x", i) }
func appsOf(people int) int   { return max(1, min(maxApps, people/peoplePerApp)) }
func groupsOf(people int) int { return max(groupsPerApp, min(10_000, people/peoplePerGroup)) }

// credential returns the credential of session i for the app that is measured.
func credential(i int) string {
	r := rand.New(rand.NewPCG(uint64(i), 2))
	var text strings.Builder
	for range 52 {
		text.WriteByte(credentialLetters[r.IntN(len(credentialLetters))])
	}
	return text.String()
}

// insertApps inserts groups with members, apps that some groups open, and credentials of the sessions
// with numbers from 1 to browsers. Their users are in the first group, which opens the first app.
func insertApps(db *sql.DB, people int, upstream string) error {
	users, err := texts(db, "SELECT id FROM users ORDER BY id")
	if err != nil {
		return err
	}
	at := time.Now().UnixMicro()
	groups := groupsOf(people)
	var groupValues, members, appValues, appGroups, credentials []any
	for i := range groups {
		groupValues = append(groupValues, groupID(i), fmt.Sprintf("Group %d", i), fmt.Sprintf("group %d", i), at)
	}
	random := rand.New(rand.NewPCG(3, 3))
	for _, id := range users {
		first := random.IntN(groups - groupsPerPerson*7)
		for i := range groupsPerPerson {
			group := 1 + first + i*7
			members = append(members, groupID(group), id, 0, "", at)
		}
	}
	holders, err := texts(db, "SELECT user_id FROM sessions")
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, id := range holders {
		if !seen[id] {
			seen[id] = true
			members = append(members, groupID(0), id, 0, "", at)
		}
	}
	for i := range appsOf(people) {
		appValues = append(appValues, appID(i), fmt.Sprintf("App %d", i), fmt.Sprintf("app %d", i), "http", appHost(i), "groups", "http://"+upstream, "/health\n/assets/*", 1, at, at)
		for j := range groupsPerApp {
			appGroups = append(appGroups, appID(i), groupID((i*groupsPerApp+j)%groups))
		}
	}
	for i := 1; i <= browsers; i++ {
		credentials = append(credentials, apps.HashCredential(credential(i)), appID(0), session.Hash(sessionToken(i)), at, at+24*time.Hour.Microseconds())
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, t := range []struct {
		table   string
		columns []string
		values  []any
	}{
		{"user_groups", []string{"id", "name", "name_key", "created_at"}, groupValues},
		{"group_members", []string{"group_id", "user_id", "until_at", "added_by", "created_at"}, members},
		{"apps", []string{"id", "name", "name_key", "scheme", "host", "audience", "upstream", "public_paths", "allow_requests", "created_at", "updated_at"}, appValues},
		{"app_groups", []string{"app_id", "group_id"}, appGroups},
		{"app_sessions", []string{"cookie_hash", "app_id", "session_hash", "created_at", "expires_at"}, credentials},
	} {
		if err := insertAll(tx, t.table, t.columns, t.values); err != nil {
			return fmt.Errorf("%s: %w", t.table, err)
		}
	}
	return tx.Commit()
}

// appRows returns rows for checks of access to the first app and for its upstreams behind the built-in
// proxy, each beside the peer.
func (g *target) appRows() []row {
	forward := make([][]byte, browsers)
	proxied := func(path string) [][]byte {
		var requests [][]byte
		for i := range browsers {
			requests = append(requests, get(appHost(0), credentialCookie(1+i), path))
		}
		return requests
	}
	for i := range forward {
		forward[i] = withHeaders(get(g.host(), credentialCookie(1+i), "/guard/forward"),
			"X-Forwarded-Method: GET", "X-Forwarded-Proto: http", "X-Forwarded-Host: "+appHost(0), "X-Forwarded-Uri: /page", "X-Forwarded-For: 127.0.0.1")
	}
	rows := []row{{
		name: "access check for another proxy", kind: access, full: true, status: http.StatusOK, requests: forward,
		peer: g.peer.job("/oauth2/auth", http.StatusAccepted),
	}}
	for _, answer := range []struct{ name, path string }{{"64 bytes", smallPath}, {"64 KB", largePath}} {
		rows = append(rows, row{
			name: "built-in proxy, " + answer.name, kind: proxying, full: true, status: http.StatusOK, requests: proxied(answer.path), peer: g.peer.job(answer.path, http.StatusOK),
		})
	}
	return rows
}

// credentialCookie returns the cookie of session i at the app.
func credentialCookie(i int) string { return "guestlist-app=" + credential(i) }

// withHeaders adds header lines to a request without a body.
func withHeaders(request []byte, lines ...string) []byte {
	text := strings.TrimSuffix(string(request), "\r\n")
	return []byte(text + strings.Join(lines, "\r\n") + "\r\n\r\n")
}
