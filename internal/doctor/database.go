package doctor

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/store/inspect"
)

func (c *checker) checkDatabase(ctx context.Context) diagnostic.Finding {
	inspector, err := inspect.Open(c.cfg.DatabaseURL, c.now)
	var missing *fs.PathError
	if errors.As(err, &missing) && errors.Is(err, fs.ErrNotExist) {
		path, err := filepath.Abs(missing.Path)
		if err != nil {
			return diagnostic.FromError(err, "Check DATABASE_URL.")
		}
		return diagnostic.Warn("If there should be one, check DATABASE_URL.", "There is no file %s yet; the first start creates it.", path)
	}
	if err != nil {
		return diagnostic.FromError(err, "Check DATABASE_URL.")
	}
	c.database = inspector
	server, err := inspector.Server(ctx)
	if errors.Is(err, inspect.ErrBusy) {
		return diagnostic.Fail("Run doctor again when it has finished.", "Another program, such as guestlist copy, has locked the SQLite file.")
	}
	if err == nil {
		err = inspector.Examine(ctx)
	}
	if err != nil {
		return diagnostic.FromError(err, "Check DATABASE_URL.")
	}
	if server.Unencrypted {
		return diagnostic.Warn("Traffic to the database is not encrypted: add sslaccept=strict to a mysql:// DATABASE_URL, or tls=true to a DSN.",
			"%s %s answers, %s.", server.Engine, server.Version, server.Transport)
	}
	return diagnostic.Pass("%s %s answers, %s.", server.Engine, server.Version, server.Transport)
}

func (c *checker) migrations(ctx context.Context) diagnostic.Finding {
	status, err := inspect.MigrationStatus(ctx, c.cfg.DatabaseURL)
	if err != nil {
		return diagnostic.FromError(err, "")
	}
	pending, all := status.Pending(), len(status.Migrations)
	if refusal := status.Refusal(); refusal != nil {
		return diagnostic.FromError(refusal, "")
	}
	switch {
	case c.database == nil:
		return diagnostic.Pass("The first start will apply all %d.", all)
	case pending > 0:
		return diagnostic.Warn("Start Guestlist or run guestlist migrate to apply them. If the database refuses (PlanetScale's safe migrations), they print the steps.",
			"%d of %d migrations are pending.", pending, all)
	}
	return diagnostic.Pass("All %d are applied.", all)
}

func (c *checker) checkWritable(ctx context.Context) diagnostic.Finding {
	if c.database == nil {
		if err := inspect.CanCreate(c.cfg.DatabaseURL); err != nil {
			return diagnostic.FromError(err, "Choose another location in DATABASE_URL.")
		}
		return diagnostic.Pass("The file can be created.")
	}
	err := c.database.CanWrite(ctx)
	switch {
	case err == nil:
		return diagnostic.Pass("A test row was written and rolled back.")
	case errors.Is(err, inspect.ErrNoTables):
		return diagnostic.Skip("There are no tables yet.")
	case errors.Is(err, inspect.ErrBusy):
		return diagnostic.Warn("Run doctor again later.", "Couldn't check: the database is busy with other writes.")
	}
	return diagnostic.FromError(err, "")
}

func (c *checker) databaseClock(ctx context.Context) diagnostic.Finding {
	if c.database == nil || c.database.IsFile() {
		return diagnostic.Pass("SQLite uses this machine's clock.")
	}
	ahead, err := c.database.ClockSkew(ctx)
	if err != nil {
		return diagnostic.FromError(err, "")
	}
	f := clockFinding("the database", ahead)
	if f.Status == diagnostic.Problem { // Guestlist does not use the database's clock, which may be the wrong one
		f.Status = diagnostic.Warning
	}
	return f
}

// A difference of clocks above driftWarning is a warning, above driftError a problem: a
// link is valid for ten minutes, and a webhook may be five minutes old.
const (
	driftWarning = 5 * time.Second
	driftError   = time.Minute
)

// clockFinding compares this machine's clock with another, which is ahead by the given
// time. whose names the other clock.
func clockFinding(whose string, ahead time.Duration) diagnostic.Finding {
	skew, direction := ahead.Abs().Round(time.Second), "behind"
	if ahead < 0 {
		direction = "ahead of"
	}
	if skew <= driftWarning {
		return diagnostic.Pass("This machine's clock agrees with %s.", whose)
	}
	f := diagnostic.Warn("Synchronise this machine's clock (NTP): links, sessions and webhooks depend on it.", "This machine's clock is %s %s %s.", skew, direction, whose)
	if skew > driftError {
		f.Status = diagnostic.Problem
	}
	return f
}

// instances compares the settings with those of the instance that started last.
func (c *checker) instances(ctx context.Context) diagnostic.Finding {
	if c.database == nil {
		return diagnostic.Pass("No instance has started yet.")
	}
	if len(c.invalid) > 0 {
		return diagnostic.Skip("Not checked: the settings must be valid first.")
	}
	plain, secret := c.cfg.SharedValues()
	differ, noted, err := c.database.DifferingSettings(ctx, plain, secret)
	switch {
	case err != nil:
		return diagnostic.FromError(err, "")
	case !noted:
		return diagnostic.Pass("No instance has started yet.")
	case len(differ) > 0:
		return diagnostic.Warn("Instances with different settings reject each other's sessions. Ignore this if you're about to restart them.",
			"The instance that started last has different values for %s.", strings.Join(differ, ", "))
	}
	return diagnostic.Pass("The instance that started last has the same settings.")
}

func (c *checker) administrators(ctx context.Context) diagnostic.Finding {
	n := 0
	if c.database != nil {
		var err error
		if n, err = c.database.CountAdmins(ctx); err != nil {
			return diagnostic.FromError(err, "")
		}
	}
	pendingAdmins, err := c.countPendingAdmins(ctx)
	switch {
	case err != nil:
		return diagnostic.FromError(err, "")
	case n > 0:
		return diagnostic.Pass("The list has %s.", humanize.Plural(n, "administrator"))
	case pendingAdmins > 0:
		return diagnostic.Pass("There is none yet; the next start invites the addresses in GUESTLIST_ADMINS.")
	case c.cfg.FirstAdmin():
		return diagnostic.Pass("There is none yet; the first person to sign in becomes one.")
	case len(c.cfg.Admins) > 0:
		return diagnostic.Fail("Invite an administrator with guestlist users invite ADDRESS --role admin, or put an address in GUESTLIST_ADMINS that was never on the list and restart.",
			"There is no administrator: the GUESTLIST_ADMINS addresses are already listed as members, suspended or removed.")
	}
	return diagnostic.Fail("Set GUESTLIST_ADMINS to your address and restart.", "There is no administrator.")
}

// countPendingAdmins counts the administrators that the next start will invite.
func (c *checker) countPendingAdmins(ctx context.Context) (int, error) {
	if c.database == nil {
		return len(c.cfg.Admins), nil
	}
	n := 0
	for _, address := range c.cfg.Admins {
		email, err := directory.ParseEmail(address)
		if err != nil {
			return 0, err
		}
		may, err := c.database.MayBeAppointed(ctx, email)
		if err != nil {
			return 0, err
		}
		if may {
			n++
		}
	}
	return n, nil
}
