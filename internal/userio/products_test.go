package userio

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// left is what is said of somebody who is left out.
func left(what string) string {
	return "Left out: " + what + ". Only people the file marks as active are imported."
}

func TestReadTakesTheExportsOfOtherPrograms(t *testing.T) {
	t.Parallel()
	files := map[string][]string{ // line|email|name|role|problem
		"auth0-api.json": {
			"1|grace@example.com|Grace Hopper||",
			"1|alan@example.com|Alan Turing||" + left("blocked is “true”"),
		},
		"auth0.ndjson": {
			"1|grace@example.com|Grace Hopper||",
			"2|bad@example.com|Bad Guy||" + left("Blocked is “true”"),
			"3|ada@example.com|Ada Lovelace||",
		},
		"clerk-api.json": {
			"3|grace@example.com|Grace Hopper||",
			"51|alan@example.com|Alan Turing||" + left("banned is “true”"),
			"99|ada@example.com|Ada Lovelace||" + left("locked is “true”"),
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
			"32|alan@example.com|Alan Turing||" + left("Enabled is “false”"),
			"57|ada@example.com|Ada Lovelace||" + left("UserStatus is “UNCONFIRMED”"),
			"82|joan@example.com|Joan Clarke||",
			"107|mary@example.com|||" + left("UserStatus is “COMPROMISED”"),
			"124|dot@example.com|||" + left("UserStatus is “ARCHIVED”"),
		},
		"entra-graph.json": {
			"4|grace@example.com|Grace Hopper||",
			"36|alan@example.com|Alan Turing||" + left("accountEnabled is “false”"),
			"44|ada@example.com|Ada Lovelace||" + left("deletedDateTime is “2026-10-01T10:00:00Z”"),
		},
		"entra.csv": {
			"2|grace@example.com|Grace Hopper||",
			"3|alan@example.com|Alan Turing||" + left("accountEnabled is “False”"),
			"4|mary@example.com|Mary Jackson||",
			"5|ada@home.example|Ada Lovelace||",
			"6|joan_home.example#EXT#@corp.onmicrosoft.com|Joan Clarke||This is the name of a guest's account, and not an address.",
		},
		"firebase.csv": {
			"1|grace@example.com|Grace Hopper||",
			"2|alan@example.com|Turing, Alan||" + left("disabled is “true”"),
			"3|ada@example.com|Ada Lovelace||",
			"4||||",
		},
		"firebase.json": {
			"2|grace@example.com|Grace Hopper||",
			"17|alan@example.com|Alan Turing||" + left("disabled is “true”"),
			"24|ada@example.com|Ada Lovelace||",
		},
		"google-directory.json": {
			"5|grace@example.com|Grace Hopper||",
			"33|alan@example.com|Alan Turing||" + left("suspended is “true”"),
			"47|ada@example.com|Ada Lovelace||" + left("archived is “true”"),
		},
		"google-workspace.csv": {
			"2|grace@example.com|Grace Hopper||",
			"3|alan@example.com|Alan Turing||" + left("Status [READ ONLY] is “Suspended”"),
			"4|ada@example.com|Ada Lovelace||" + left("Status [READ ONLY] is “Archived”"),
			"5|joan@example.com|Joan Clarke||" + left("New Status [UPLOAD ONLY] is “Suspended”"),
		},
		"guestlist.csv": {
			"2|grace@example.com|Grace Hopper|admin|",
			"3|alan@example.com|=1+1|member|" + left("status is “suspended”"),
			"4|ada@example.com||member|",
		},
		"keycloak-realm.json": {
			"16|grace@example.com|Grace Hopper||",
			"40|alan@example.com|Alan Turing||" + left("enabled is “false”"),
			"53|ada@example.com|Ada||" + left("attributes.status is “suspended”"),
			"65|service-account-x|||",
		},
		"keycloak-users.json": {
			"1|grace@example.com|Grace Hopper||",
			"1|alan@example.com|Alan||" + left("enabled is “false”"),
		},
		"mailchimp-api.json": {
			"1|grace@example.com|Grace Hopper||",
			"1|alan@example.com|Alan Turing||" + left("status is “unsubscribed”"),
			"1|ada@example.com|||" + left("status is “cleaned”"),
		},
		"mailchimp-cleaned.csv": {
			"2|ada@example.com|Ada Lovelace||" + left("CLEAN_TIME is “2026-10-01 10:00:00”"),
		},
		"mailchimp-subscribed.csv": {
			"2|grace@example.com|Grace Hopper||",
		},
		"mailchimp-unsubscribed.csv": {
			"2|alan@example.com|Alan Turing||" + left("UNSUB_TIME is “2026-10-01 10:00:00”"),
		},
		"microsoft365.csv": {
			"2|grace@example.com|Grace Hopper||",
			"3|alan@example.com|Alan Turing||" + left("Block credential is “True”"),
			"4|ada@example.com|Ada Lovelace||" + left("Soft deletion time stamp is “2026-10-01 10:00:00Z”"),
		},
		"okta-api.json": {
			"2|grace@example.com|Grace Hopper||",
			"36|alan@example.com|Alan Turing||" + left("status is “SUSPENDED”"),
			"70|ada@example.com|Ada Lovelace||" + left("transitioningToStatus is “DEPROVISIONED”"),
		},
		"okta.csv": {
			"2|mary@example.com|Mary Jackson||",
			"3|kath@example.com|Kath Johnson||" + left("status is “DEPROVISIONED”"),
			"4|dot@example.com|Dot Vaughan||" + left("status is “SUSPENDED”"),
			"5|grace@example.com|Grace Brewster Hopper||",
			"6|ada@example.com|Ada Lovelace||" + left("status is “STAGED”"),
			"7|joan@example.com|Joan Clarke||" + left("status is “LOCKED_OUT”"),
			"8|alan@example.com|Alan Turing||",
		},
		"slack-api.json": {
			"4|grace@example.com|Grace Hopper||",
			"27|alan@example.com|Alan Turing||" + left("deleted is “true”"),
			"37|dot@example.com|Dot Vaughan||" + left("is_restricted is “true”"),
			"48||Beep||" + left("is_bot is “true”"),
		},
		"slack.csv": {
			"2|grace@example.com|Grace Hopper||",
			"3|joan@example.com|Joan Clarke||",
			"4|ada@example.com|Ada Lovelace||",
			"5|alan@example.com|Alan Turing||" + left("status is “Deactivated”"),
			"6|dot@example.com|Dot Vaughan||" + left("status is “Single-Channel Guest”"),
			"7|beep|Beep||" + left("status is “Bot”"),
		},
		"stytch-b2b.json": {
			"1|grace@example.com|Grace Hopper||",
			"1|alan@example.com|Alan Turing||" + left("status is “deleted”"),
			"1|ada@example.com|||",
		},
		"stytch.json": {
			"1|grace@example.com|Grace Hopper||",
			"2|ada@example.com|||",
			"3|alan@example.com|Alan Turing||" + left("is_locked is “true”"),
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
	} else if _, _, err := readAll(t, string(content)); err == nil || err.Error() != "Line 1: This is a Firebase export that does not say who is disabled. Export again with a newer firebase-tools, or as JSON." {
		t.Errorf("firebase-old.csv: %v", err)
	}
	all, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		if _, ok := files[file.Name()]; !ok && !file.IsDir() {
			t.Errorf("%s: nothing is expected of it", file.Name())
		}
	}
}
