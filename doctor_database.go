package main

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/doctor"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/words"
)

func (p *patient) reachDatabase(ctx context.Context) doctor.Finding {
	look, err := store.LookAt(p.cfg.DatabaseURL, p.now)
	if errors.Is(err, fs.ErrNotExist) {
		name, err := store.Name(p.cfg.DatabaseURL)
		if err != nil {
			return doctor.Failed(err, "Look at DATABASE_URL.")
		}
		return doctor.Doubt("If there should be one already, DATABASE_URL names another.", "There is no file %s yet; the first start makes it.", strings.TrimPrefix(name, "sqlite:"))
	}
	if err != nil {
		return doctor.Failed(err, "Look at DATABASE_URL.")
	}
	p.database = look
	server, err := look.Server(ctx)
	if errors.Is(err, store.ErrBusy) {
		return doctor.Wrong("Look again when it has ended.", "Another program keeps the SQLite file to itself, such as guestlist copy.")
	}
	if err == nil {
		err = look.Examine(ctx)
	}
	if err != nil {
		return doctor.Failed(err, "Look at DATABASE_URL.")
	}
	if server.Exposed {
		return doctor.Doubt("Who is on the way can read along: add sslaccept=strict to a mysql:// DATABASE_URL, or tls=true to a DSN.",
			"%s %s answers, %s.", server.Engine, server.Version, server.Way)
	}
	return doctor.Fine("%s %s answers, %s.", server.Engine, server.Version, server.Way)
}

func (p *patient) migrations(ctx context.Context) doctor.Finding {
	status, err := store.LookAtMigrations(ctx, p.cfg.DatabaseURL)
	if err != nil {
		return doctor.Failed(err, "")
	}
	pending, all := status.Pending(), len(status.Migrations)
	if refusal := status.Refusal(); refusal != nil {
		return doctor.Failed(refusal, "")
	}
	switch {
	case p.database == nil:
		return doctor.Fine("The first start applies all %d.", all)
	case pending > 0:
		return doctor.Doubt("The next start applies them, or guestlist migrate does. Where the database refuses that (safe migrations at PlanetScale), they say the steps.",
			"%d of %d migrations are pending.", pending, all)
	}
	return doctor.Fine("All %d are applied.", all)
}

func (p *patient) writing(ctx context.Context) doctor.Finding {
	if p.database == nil {
		if err := store.CanMake(p.cfg.DatabaseURL); err != nil {
			return doctor.Failed(err, "Name another place in DATABASE_URL.")
		}
		return doctor.Fine("The file can be made.")
	}
	err := p.database.CanWrite(ctx)
	switch {
	case err == nil:
		return doctor.Fine("A row could be written, and was taken back.")
	case errors.Is(err, store.ErrNoTables):
		return doctor.Skip("There is no table to write to yet.")
	case errors.Is(err, store.ErrBusy):
		return doctor.Doubt("Look again when that is over.", "It can't be told, for others are writing all the time.")
	}
	return doctor.Failed(err, "")
}

func (p *patient) databaseClock(ctx context.Context) doctor.Finding {
	if p.database == nil || p.database.IsFile() {
		return doctor.Fine("SQLite goes by the clock of this machine.")
	}
	ahead, err := p.database.Ahead(ctx)
	if err != nil {
		return doctor.Failed(err, "")
	}
	f := drift("the database", ahead)
	if f.Status == doctor.Problem { // nothing goes by the database's clock, and it may be the one that is wrong
		f.Status = doctor.Warning
	}
	return f
}

// How far two clocks may be apart without a word, and without harm: a link lasts ten
// minutes, and a webhook may be five minutes old.
const (
	littleDrift = 5 * time.Second
	muchDrift   = time.Minute
)

// drift says how the clock here agrees with another that is ahead of it.
func drift(whose string, ahead time.Duration) doctor.Finding {
	apart, side := ahead.Abs().Round(time.Second), "behind"
	if ahead < 0 {
		side = "ahead of"
	}
	if apart <= littleDrift {
		return doctor.Fine("The clock here agrees with that of %s.", whose)
	}
	f := doctor.Doubt("Have this machine's clock set by NTP: links, sessions and webhooks go by it.", "The clock here is %s %s that of %s.", apart, side, whose)
	if apart > muchDrift {
		f.Status = doctor.Problem
	}
	return f
}

// instances compares the settings with those of the instance that started last.
func (p *patient) instances(ctx context.Context) doctor.Finding {
	if p.database == nil {
		return doctor.Fine("None has started yet.")
	}
	if len(p.wrong) > 0 {
		return doctor.Skip("Not looked at, for the settings come before it.")
	}
	plain, secret := p.cfg.InForce()
	differ, noted, err := p.database.DifferingSettings(ctx, plain, secret)
	switch {
	case err != nil:
		return doctor.Failed(err, "")
	case !noted:
		return doctor.Fine("None has started yet.")
	case len(differ) > 0:
		return doctor.Doubt("All instances need the same; cookies, for one, are opened by no other keys. It is well if they are about to be started anew.",
			"The one that started last has others of %s.", strings.Join(differ, ", "))
	}
	return doctor.Fine("The one that started last has the same settings.")
}

func (p *patient) administrators(ctx context.Context) doctor.Finding {
	n := 0
	if p.database != nil {
		var err error
		if n, err = p.database.CountAdmins(ctx); err != nil {
			return doctor.Failed(err, "")
		}
	}
	coming, err := p.comingAdmins(ctx)
	switch {
	case err != nil:
		return doctor.Failed(err, "")
	case n > 0:
		return doctor.Fine("The list has %s.", words.Count(n, "administrator"))
	case coming > 0:
		return doctor.Fine("There is none yet; the next start invites who is in GUESTLIST_ADMINS.")
	case p.cfg.FirstAdmin():
		return doctor.Fine("There is none yet; the first to sign in becomes one.")
	case len(p.cfg.Admins) > 0:
		return doctor.Wrong("Invite an administrator with guestlist users invite ADDRESS --role admin, or name an address in GUESTLIST_ADMINS that was never on the list, and start again.",
			"Nobody can administer the list, for who is in GUESTLIST_ADMINS is on it as somebody else, or was removed from it, and stays that.")
	}
	return doctor.Wrong("Set GUESTLIST_ADMINS to your address, and start again.", "Nobody can administer the list.")
}

// comingAdmins counts those whom the next start invites as administrators.
func (p *patient) comingAdmins(ctx context.Context) (int, error) {
	if p.database == nil {
		return len(p.cfg.Admins), nil
	}
	admins, err := parseAdmins(p.cfg.Admins)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, email := range admins {
		may, err := p.database.MayBeAppointed(ctx, email)
		if err != nil {
			return 0, err
		}
		if may {
			n++
		}
	}
	return n, nil
}
