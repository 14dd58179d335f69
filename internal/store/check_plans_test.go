package store

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

// seedAccess inserts users, groups and apps, each user with a session, and each app with a client, a credential and a grant of
// each of the first users, and a token. Every user is in ten groups, and every app opens to ten.
func seedAccess(t testing.TB, s *Store, users, groups, apps int) {
	t.Helper()
	seed(t, s, users)
	ids, err := s.read.QueryContext(t.Context(), "SELECT id FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer ids.Close()
	now := storetest.Now().UnixMicro()
	rows := map[string][]string{}
	add := func(table, format string, args ...any) {
		rows[table] = append(rows[table], "("+fmt.Sprintf(format, args...)+")")
	}
	for g := range groups {
		add("user_groups (id, name, name_key, created_at)", "'g%d', 'Group %[1]d', 'group %[1]d', %d", g, now)
	}
	for a := range apps {
		add("apps (id, name, name_key, scheme, host, audience, upstream, public_paths, allow_requests, created_at, updated_at)",
			"'a%d', 'App %[1]d', 'app %[1]d', 'https', 'app%[1]d.example.com', 'groups', '', '', 0, %d, %[2]d", a, now)
		add("app_tokens (token_hash, id, app_id, user_id, name, created_by, created_at, expires_at)",
			"'t%d', 'i%[1]d', 'a%[1]d', (SELECT MIN(id) FROM users), 'x', '', %d, %[2]d", a, now)
		add("openid_clients (app_id, public_client, id_token_alg, redirect_uris, post_logout_uris, backchannel_logout, created_at, updated_at)",
			"'a%d', 0, 'RS256', '', '', '', %d, %[2]d", a, now)
		add("client_secrets (id, app_id, secret_hash, hint, created_by, created_at, expires_at)", "'s%d', 'a%[1]d', 'h%[1]d', '', '', %d, 0", a, now)
		for n := range 10 {
			add("app_groups (app_id, group_id)", "'a%d', 'g%d'", a, (a*7+n)%groups)
		}
	}
	for n := 0; ids.Next(); n++ {
		var id string
		if err := ids.Scan(&id); err != nil {
			t.Fatal(err)
		}
		add("sessions (token_hash, user_id, stytch_session_id, user_agent, address, created_at, verified_at, expires_at)",
			"'s%d', '%s', '', '', '', %d, %[3]d, %[3]d", n, id, now)
		for g := range 10 {
			add("group_members (group_id, user_id, until_at, added_by, created_at)", "'g%d', '%s', 0, '', %d", (n*3+g)%groups, id, now)
		}
		for a := range min(apps, 3) {
			add("app_sessions (cookie_hash, app_id, session_hash, created_at, expires_at)", "'c%d-%d', 'a%d', 's%d', %d, %[5]d", n, a, a, n, now)
			add("grants (id, app_id, user_id, session_hash, scope, nonce, auth_time, redirect_uri, code_hash, code_challenge, code_expires_at, code_used_at, created_at, expires_at)",
				"'g%d-%d', 'a%[2]d', '%s', 's%[1]d', 'openid', '', %d, '', 'code%[1]d-%[2]d', '', %[4]d, %[4]d, %[4]d, %[4]d", n, a, id, now)
			for _, kind := range []string{"access", "refresh"} {
				add("grant_tokens (token_hash, grant_id, kind, created_at, expires_at, replaced_at)", "'%s%d-%d', 'g%[2]d-%[3]d', '%[1]s', %d, %[4]d, 0", kind, n, a, now)
			}
		}
	}
	if err := ids.Err(); err != nil {
		t.Fatal(err)
	}
	for table, values := range rows {
		for first := 0; first < len(values); first += 1000 {
			if _, err := s.write.ExecContext(t.Context(), "INSERT INTO "+table+" VALUES "+strings.Join(values[first:min(first+1000, len(values))], ",")); err != nil {
				t.Fatal(err)
			}
		}
		name, _, _ := strings.Cut(table, " ")
		analyze := "ANALYZE " + name
		if !s.sqlite {
			analyze = "ANALYZE TABLE " + name
		}
		if _, err := s.write.ExecContext(t.Context(), analyze); err != nil {
			t.Fatal(err)
		}
	}
}

// Every request to an app runs one of these queries, and every request of a client of OpenID Connect.
func TestCheck_ReadsIndexesOnly(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		seedAccess(t, s, 2000, 300, 200)
		r := &recorder{DB: s.Reader()}
		q := dbsqlc.New(r)
		for _, hash := range []string{"c17-2", "unknown", ""} {
			for _, host := range []string{"app2.example.com", "unknown.example.com"} {
				rows, err := q.CheckAppSession(t.Context(), dbsqlc.CheckAppSessionParams{CookieHash: hash, Host: host})
				if want := map[string]int{"c17-2app2.example.com": 10}[hash+host]; err != nil || want > 0 && len(rows) != want {
					t.Errorf("%q at %s: %d rows, %v", hash, host, len(rows), err)
				}
			}
		}
		for _, hash := range []string{"t2", "unknown"} {
			if _, err := q.CheckAppToken(t.Context(), dbsqlc.CheckAppTokenParams{TokenHash: hash, Host: "app2.example.com"}); err != nil {
				t.Error(err)
			}
		}
		for _, hash := range []string{"17-2", "unknown"} {
			codes, err := q.CheckGrantByCode(t.Context(), "code"+hash)
			wantGrantRows(t, hash, len(codes), err)
			if _, err := q.CheckGrantByToken(t.Context(), "access"+hash); (err == nil) != (hash == "17-2") {
				t.Errorf("%s: %v", hash, err)
			}
		}
		user := ""
		if err := s.Reader().QueryRowContext(t.Context(), "SELECT user_id FROM sessions WHERE token_hash = 's17'").Scan(&user); err != nil {
			t.Fatal(err)
		}
		memberships, err := q.ListMembershipsForApp(t.Context(), dbsqlc.ListMembershipsForAppParams{UserID: user, AppID: "a2"})
		wantGrantRows(t, "17-2", len(memberships), err)
		for _, app := range []string{"a2", "unknown"} {
			if _, err := q.CheckOpenIDClient(t.Context(), dbsqlc.CheckOpenIDClientParams{UserID: "", AppID: app}); err != nil {
				t.Error(err)
			}
			if _, err := q.GetClientWithSecret(t.Context(), dbsqlc.GetClientWithSecretParams{AppID: app, SecretHash: "h2"}); (err == nil) != (app == "a2") {
				t.Errorf("%s: %v", app, err)
			}
		}
		if len(r.statements) != 17 {
			t.Fatalf("%d statements", len(r.statements))
		}
		for _, asked := range r.statements {
			explainCheck(t, s, asked)
		}
	})
}

// wantGrantRows checks the rows of a grant, one for each membership of its user.
func wantGrantRows(t *testing.T, hash string, rows int, err error) {
	t.Helper()
	if want := map[string]int{"17-2": 10}[hash]; err != nil || rows != want {
		t.Errorf("%q: %d rows, want %d, %v", hash, rows, want, err)
	}
}

// explainCheck fails the test if the engine reads any table of a check otherwise than by a key or a range of an index.
func explainCheck(t *testing.T, s *Store, asked statement) {
	t.Helper()
	steps := 0
	for _, step := range queryPlan(t, s, asked) {
		detail, isFile := step["detail"]
		known := isFile || step["type"] == "" // MySQL: the tables were read while planning
		for _, access := range []string{"const", "eq_ref", "ref"} {
			known = known || step["type"] == access
		}
		steps++
		if !known || strings.HasPrefix(detail, "SCAN") || strings.Contains(detail, "AUTOMATIC") || strings.Contains(detail, "TEMP B-TREE") ||
			strings.Contains(step["Extra"], "filesort") || strings.Contains(step["Extra"], "temporary") || strings.Contains(step["Extra"], "join buffer") {
			t.Errorf("%s %q\n%v", asked.text, asked.args, step)
		}
	}
	if steps == 0 {
		t.Errorf("no plan for %s", asked.text)
	}
}

// queryPlan returns the steps of a statement's plan by the names of EXPLAIN's columns.
func queryPlan(t *testing.T, s *Store, asked statement) []map[string]string {
	t.Helper()
	command := "EXPLAIN "
	if s.sqlite {
		command = "EXPLAIN QUERY PLAN "
	}
	rows, err := s.read.QueryContext(t.Context(), command+asked.text, asked.args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var steps []map[string]string
	for rows.Next() {
		values, into, step := make([]sql.NullString, len(columns)), make([]any, len(columns)), map[string]string{}
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, value := range values {
			step[columns[i]] = value.String
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
