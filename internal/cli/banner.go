package cli

import (
	"fmt"
	"io"
	"net"

	"github.com/guestlist/guestlist/internal/config"
)

// printBanner prints the public address, the address addr of the listener, the apps of
// GUESTLIST_APPS and, in local mode, the addresses of the demo app, unless demoURL is "", and of the inbox with devKey,
// which is "" otherwise.
func printBanner(w io.Writer, cfg config.Config, addr net.Addr, devKey, demoURL string) {
	fmt.Fprintf(w, "\n  Guestlist:  %s\n", cfg.BaseURL)
	fmt.Fprintf(w, "  Listening:  %s\n", addr)
	for _, app := range cfg.Apps {
		fmt.Fprintf(w, "  App:        %s\n", app)
	}
	if cfg.LocalMode() {
		if demoURL != "" {
			fmt.Fprintf(w, "  Demo app:   %s\n", demoURL)
		}
		if cfg.SMTPURL == "" {
			fmt.Fprintf(w, "  Inbox:      %s/dev/inbox?key=%s\n", cfg.ListenerURL(), devKey)
			fmt.Fprintln(w, "  Anyone with the inbox address can read every sign-in link. Keep it to yourself.")
		}
		fmt.Fprintln(w)
		if demoURL != "" {
			fmt.Fprintln(w, "  Open the demo app to see protection work: you sign in, and it shows what an app learns about you.")
		}
		if cfg.FirstAdmin() {
			fmt.Fprintln(w, "  While the list is empty, the first person to sign in becomes its administrator.")
		}
		fmt.Fprintln(w, "  Everything stays on this machine. To use the cloud, set STYTCH_PROJECT_ID,")
		fmt.Fprintln(w, "  STYTCH_SECRET and DATABASE_URL (README.md, \"Three ways to run\").")
	}
	fmt.Fprintln(w)
}
