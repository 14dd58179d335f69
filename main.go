// Command guestlist serves a login page and a user directory. Only users in the directory
// can sign in. README.md says how to run it.
package main

import (
	"os"

	"github.com/guestlist/guestlist/internal/cli"
)

func main() { os.Exit(cli.Main()) }
