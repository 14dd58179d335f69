package repo

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/schema"
)

// few says of queries without a bound of their own why they touch few rows: PlanetScale
// returns, changes or deletes no more than 100,000 at once.
var few = map[string]string{
	"ListJobsOf":         "what Stytch must hear of one person",
	"ListSessionsOfUser": "one person's, and signing in is limited",
	"ListTokensOfUser":   "one person's, twenty at most",
	"DeleteInviteJobs":   "one person's",
	"DeleteMailsFrom":    "of the local inbox, after each mail",

	"CheckAppSession":       "one user's memberships, which administrators make one at a time",
	"CheckAppToken":         "one user's memberships",
	"ListMembershipsOfUser": "one user's memberships",
	"CheckOpenIDClient":     "one user's memberships",
	"CheckGrantByCode":      "one user's memberships",
	"ListMembershipsForApp": "one user's memberships",
	"UpdateOpenIDClient":    "one, by its key",
	"DeleteOpenIDClient":    "one, by its key",
	"LockOpenIDClient":      "one, by its key",
	"ListClientSecrets":     "one client's, five at most",
	"DeleteSecretsOfClient": "one client's, five at most",
	"SetDevicePoll":         "one, by its key",
	"DecideDeviceCode":      "one, by its key",
	"DeleteDeviceCode":      "one, by its key",
	"DeleteTokensOfGrant":   "one sign-in's to one app, a few an hour",
	"ListFactors":           "one user's, twenty passkeys and an authenticator app at most",
	"DeleteAppsOfGroup":     "apps are limited to a thousand",
	"DeleteGroupsOfApp":     "one app's, chosen in one form",
	"ListAppsOfGroup":       "apps are limited to a thousand",
	"ListTokensOfApp":       "one app's, fifty at most",
	"DeleteAppTokensOfApp":  "one app's, fifty at most",
	"DeleteRequestsOfApp":   "one app's, one for each user without access who asked",
}

func TestQueries_TouchABoundedNumberOfRows(t *testing.T) {
	t.Parallel()
	// The rows of one person are few, because they are limited.
	key := regexp.MustCompile(`WHERE (id|name|registration_id|challenge_hash|token_hash|cookie_hash|code_hash|app_id = \S+ AND id|request_hash|requester_hash|email|email_key|email_id|method_id|totp_id|session_id|user_id|group_id = \S+ AND user_id) (= |IN \(sqlc\.slice)`)
	bounded := regexp.MustCompile(`LIMIT (\?|1)|IN \(sqlc\.slice`)
	seen := map[string]bool{}
	for _, q := range append(queriesIn(t, "queries/*.sql"), queriesIn(t, "queries/stytchlocal/*.sql")...) {
		ok := true
		switch {
		case q.kind == ":many":
			ok = bounded.MatchString(q.text)
		case strings.HasPrefix(q.text, "UPDATE"), strings.HasPrefix(q.text, "DELETE"):
			ok = key.MatchString(q.text)
		}
		if !ok && few[q.name] == "" {
			t.Errorf("%s: how many rows can this be?\n%s", q.name, q.text)
		}
		seen[q.name] = seen[q.name] || !ok
	}
	for name := range few {
		if !seen[name] {
			t.Errorf("%s is bounded, or is not there", name)
		}
	}
}

// tableOptions must end every CREATE TABLE. A server's default may be MyISAM, a row format
// with short keys, or a character set without most letters.
const tableOptions = ") /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;"

// MySQL commits each statement that changes tables separately, so a migration of two could
// end between them.
func TestMigrations_AreOneStatement(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(schema.Files, "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	comment := regexp.MustCompile(`--[^\n]*`)
	for _, file := range files {
		text, err := fs.ReadFile(schema.Files, file)
		if err != nil {
			t.Fatal(err)
		}
		up, down, found := strings.Cut(string(text), "-- +goose Down")
		for way, half := range map[string]string{"up": up, "down": down} {
			half = comment.ReplaceAllString(half, "")
			if n := strings.Count(half, ";"); n != 1 || !found || !strings.HasSuffix(strings.TrimSpace(half), ";") {
				t.Errorf("%s has %d statements on the way %s", file, n, way)
			}
			if strings.Contains(half, "CREATE TABLE") && !strings.HasSuffix(strings.TrimSpace(half), tableOptions) {
				t.Errorf("%s makes a table without the options of all tables", file)
			}
		}
	}
}
