package userio

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// skipped returns the message about a user that the file excludes.
func skipped(what string) string {
	return "Skipped: " + what + ". Only people that the file marks as active are imported."
}

func TestRead_ProductExports(t *testing.T) {
	t.Parallel()
	files := map[string][]string{ // line|email|name|role|problem
		"auth0-api.json": {
			"1|grace@example.com|Grace Hopper||",
			"1|alan@example.com|Alan Turing||" + skipped("blocked is “true”"),
		},
		"auth0.ndjson": {
			"1|grace@example.com|Grace Hopper||",
			"2|bad@example.com|Bad Guy||" + skipped("Blocked is “true”"),
			"3|ada@example.com|Ada Lovelace||",
		},
		"clerk-api.json": {
			"3|grace@example.com|Grace Hopper||",
			"51|alan@example.com|Alan Turing||" + skipped("banned is “true”"),
			"99|ada@example.com|Ada Lovelace||" + skipped("locked is “true”"),
		},
		"clerk.csv": {
			"2|grace@example.com|Grace Hopper||",
			"3|alan@example.com|Alan Turing||",
		},
		"cognito.csv": {
			"2|grace@example.com|Grace Brewster Hopper||",
		},
		"cognito.json": {
			"3|grace@example.com|Grace Hopper||",
			"32|alan@example.com|Alan Turing||" + skipped("Enabled is “false”"),
			"57|ada@example.com|Ada Lovelace||" + skipped("UserStatus is “UNCONFIRMED”"),
			"82|joan@example.com|Joan Clarke||",
			"107|mary@example.com|||" + skipped("UserStatus is “COMPROMISED”"),
			"124|dot@example.com|||" + skipped("UserStatus is “ARCHIVED”"),
		},
		"entra-graph.json": {
			"4|grace@example.com|Grace Hopper||",
			"36|alan@example.com|Alan Turing||" + skipped("accountEnabled is “false”"),
			"44|ada@example.com|Ada Lovelace||" + skipped("deletedDateTime is “2026-10-01T10:00:00Z”"),
		},
		"entra.csv": {
			"2|grace@example.com|Grace Hopper||",
			"3|alan@example.com|Alan Turing||" + skipped("accountEnabled is “False”"),
			"4|mary@example.com|Mary Jackson||",
			"5|ada@home.example|Ada Lovelace||",
			"6|joan_home.example#EXT#@corp.onmicrosoft.com|Joan Clarke||This is the name of a guest account, not an email address.",
		},
		"firebase.csv": {
			"1|grace@example.com|Grace Hopper||",
			"2|alan@example.com|Turing, Alan||" + skipped("disabled is “true”"),
			"3|ada@example.com|Ada Lovelace||",
			"4||||",
		},
		"firebase.json": {
			"2|grace@example.com|Grace Hopper||",
			"17|alan@example.com|Alan Turing||" + skipped("disabled is “true”"),
			"24|ada@example.com|Ada Lovelace||",
		},
		"google-directory.json": {
			"5|grace@example.com|Grace Hopper||",
			"33|alan@example.com|Alan Turing||" + skipped("suspended is “true”"),
			"47|ada@example.com|Ada Lovelace||" + skipped("archived is “true”"),
		},
		"google-workspace.csv": {
			"2|grace@example.com|Grace Hopper||",
			"3|alan@example.com|Alan Turing||" + skipped("Status [READ ONLY] is “Suspended”"),
			"4|ada@example.com|Ada Lovelace||" + skipped("Status [READ ONLY] is “Archived”"),
			"5|joan@example.com|Joan Clarke||" + skipped("New Status [UPLOAD ONLY] is “Suspended”"),
		},
		"guestlist.csv": {
			"2|grace@example.com|Grace Hopper|admin|",
			"3|alan@example.com|=1+1|member|" + skipped("status is “suspended”"),
			"4|ada@example.com||member|",
		},
		"keycloak-realm.json": {
			"16|grace@example.com|Grace Hopper||",
			"40|alan@example.com|Alan Turing||" + skipped("enabled is “false”"),
			"53|ada@example.com|Ada||" + skipped("attributes.status is “suspended”"),
			"65|service-account-x|||",
		},
		"keycloak-users.json": {
			"1|grace@example.com|Grace Hopper||",
			"1|alan@example.com|Alan||" + skipped("enabled is “false”"),
		},
		"mailchimp-api.json": {
			"1|grace@example.com|Grace Hopper||",
			"1|alan@example.com|Alan Turing||" + skipped("status is “unsubscribed”"),
			"1|ada@example.com|||" + skipped("status is “cleaned”"),
		},
		"mailchimp-cleaned.csv": {
			"2|ada@example.com|Ada Lovelace||" + skipped("CLEAN_TIME is “2026-10-01 10:00:00”"),
		},
		"mailchimp-subscribed.csv": {
			"2|grace@example.com|Grace Hopper||",
		},
		"mailchimp-unsubscribed.csv": {
			"2|alan@example.com|Alan Turing||" + skipped("UNSUB_TIME is “2026-10-01 10:00:00”"),
		},
		"microsoft365.csv": {
			"2|grace@example.com|Grace Hopper||",
			"3|alan@example.com|Alan Turing||" + skipped("Block credential is “True”"),
			"4|ada@example.com|Ada Lovelace||" + skipped("Soft deletion time stamp is “2026-10-01 10:00:00Z”"),
		},
		"okta-api.json": {
			"2|grace@example.com|Grace Hopper||",
			"36|alan@example.com|Alan Turing||" + skipped("status is “SUSPENDED”"),
			"70|ada@example.com|Ada Lovelace||" + skipped("transitioningToStatus is “DEPROVISIONED”"),
		},
		"okta.csv": {
			"2|mary@example.com|Mary Jackson||",
			"3|kath@example.com|Kath Johnson||" + skipped("status is “DEPROVISIONED”"),
			"4|dot@example.com|Dot Vaughan||" + skipped("status is “SUSPENDED”"),
			"5|grace@example.com|Grace Brewster Hopper||",
			"6|ada@example.com|Ada Lovelace||" + skipped("status is “STAGED”"),
			"7|joan@example.com|Joan Clarke||" + skipped("status is “LOCKED_OUT”"),
			"8|alan@example.com|Alan Turing||",
		},
		"slack-api.json": {
			"4|grace@example.com|Grace Hopper||",
			"27|alan@example.com|Alan Turing||" + skipped("deleted is “true”"),
			"37|dot@example.com|Dot Vaughan||" + skipped("is_restricted is “true”"),
			"48||Beep||" + skipped("is_bot is “true”"),
		},
		"slack.csv": {
			"2|grace@example.com|Grace Hopper||",
			"3|joan@example.com|Joan Clarke||",
			"4|ada@example.com|Ada Lovelace||",
			"5|alan@example.com|Alan Turing||" + skipped("status is “Deactivated”"),
			"6|dot@example.com|Dot Vaughan||" + skipped("status is “Single-Channel Guest”"),
			"7|beep|Beep||" + skipped("status is “Bot”"),
		},
		"stytch-b2b.json": {
			"1|grace@example.com|Grace Hopper||",
			"1|alan@example.com|Alan Turing||" + skipped("status is “deleted”"),
			"1|ada@example.com|||",
		},
		"stytch.json": {
			"1|grace@example.com|Grace Hopper||",
			"2|ada@example.com|||",
			"3|alan@example.com|Alan Turing||" + skipped("is_locked is “true”"),
			"4||||",
		},
	}
	for file, want := range files {
		content, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		lines, _, err := readAll(t, string(content))
		if diff := cmp.Diff(want, lines); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", file, err, diff)
		}
	}
	files["firebase-old.csv"] = nil
	if content, err := os.ReadFile("testdata/firebase-old.csv"); err != nil {
		t.Error(err)
	} else if _, _, err := readAll(t, string(content)); err == nil || err.Error() != "Line 1: This Firebase export doesn't say who is disabled. Export again with a newer firebase-tools, or as JSON." {
		t.Errorf("firebase-old.csv: %v", err)
	}
	all, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		if _, ok := files[file.Name()]; !ok && !file.IsDir() {
			t.Errorf("%s: no test", file.Name())
		}
	}
}
