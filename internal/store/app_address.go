package store

import "github.com/guestlist/guestlist/internal/apps"

// An app without an address has no host. Because apps.host can neither be NULL nor repeat, and no portable statement
// changes a column, such an app has a colon and its id in that column: storedHost writes it, and readHost reads it. A
// canonical host never begins with a colon, so no request is taken for one to such an app. Its scheme is empty.

// noHost begins the column host of an app without an address.
const noHost = ":"

// storedHost returns the column host of an app.
func storedHost(a apps.App) string {
	if a.Host == "" {
		return noHost + a.ID
	}
	return a.Host
}

// readHost returns the host in the column of that name, "" if the app has no address.
func readHost(stored string) string {
	if len(stored) > 0 && stored[:1] == noHost {
		return ""
	}
	return stored
}
