package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/userio"
)

// maxShownProblems limits the problems of a file that are printed.
const maxShownProblems = 20

// importFlags are the flags of guestlist users import.
type importFlags struct {
	role                          string
	invite, preview, yes, resumes bool
	asJSON                        bool
}

func (p *cli) usersImportCommand() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use: "import FILE", Short: "Import people from a file",
		Long: `Import people from a file: a table (CSV, also with semicolons or tabs), a list of email addresses, or JSON; - reads standard
input. Exports from Google Workspace, Microsoft 365 and Entra, Okta, Auth0, Clerk, Cognito, Firebase, Keycloak, Slack, Stytch and
Mailchimp work as they are. A table needs a column email; name (or first and last name), role, groups and until are optional;
ignored columns are listed. groups are names of existing groups, separated by commas, and until is when the memberships end. Columns such as status, enabled, suspended or deleted_at are read too: only people the file marks as active are
imported, and the others are shown with their line and the reason.

The command shows problems by line and asks for confirmation. Without a terminal, pass --yes, or --preview to write nothing.
Existing people aren't changed, so the same file can be imported again. An interrupted import is continued by a running instance,
or with --resume and the import's id instead of a file. Exits 1 if no one in the file can be added.

With --json, the result is {"id", "file", "state", "people", "listed", "problems", "added", "kept", "left_out"}.`,
		Example: `  guestlist users import people.csv
  guestlist users import people.csv --invite --yes
  mysql --batch -e 'SELECT id, name, email FROM users' example | guestlist users import - --yes`,
		Args: exactArg("file"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			return importUsers(ctx, cfg, con, args[0], f)
		}),
	}
	c.Flags().StringVar(&f.role, "role", "member", "`ROLE` of people without one in the file: admin or member")
	c.Flags().BoolVar(&f.invite, "invite", false, "email an invitation to everyone added")
	c.Flags().BoolVar(&f.preview, "preview", false, "show what would be imported, and write nothing")
	c.Flags().BoolVar(&f.yes, "yes", false, "don't ask for confirmation")
	c.Flags().BoolVar(&f.resumes, "resume", false, "continue an import, given its id instead of a file")
	addJSONFlag(c, &f.asJSON)
	return c
}

// jsonImport is the output of guestlist users import --json.
type jsonImport struct {
	ID       string       `json:"id"`
	File     string       `json:"file"`
	State    userio.State `json:"state"`
	People   int          `json:"people"`   // people who can be added
	Listed   int          `json:"listed"`   // of People, those already on the list
	Problems int          `json:"problems"` // lines that were skipped
	Added    int          `json:"added"`
	Kept     int          `json:"kept"`     // of Listed, those left unchanged
	LeftOut  int          `json:"left_out"` // removed after the import was started
}

func importUsers(ctx context.Context, cfg config.Config, con streams, file string, f importFlags) error {
	if !f.yes && !f.preview && !f.resumes && !con.interactive {
		return usageError{errors.New("guestlist users import asks for confirmation; without a terminal, pass --yes or --preview")}
	}
	if _, err := directory.ParseRole(f.role); err != nil {
		return usageError{fmt.Errorf("--role: %w", err)}
	}
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	im := a.NewImporter()
	id := file
	if f.resumes {
		err = im.Resume(ctx, app.Operator(), id)
	} else if id, err = upload(ctx, con, im, file, f); id == "" {
		return err
	}
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return fmt.Errorf("there is no import %s", id)
	case errors.Is(err, userio.ErrInvalidState) && f.resumes: // it is running or done
	case err != nil:
		return usageErrorFrom(err)
	}
	return waitForImport(ctx, con, a, im, id, f.asJSON)
}

// upload reads the file, prints a summary and starts the import after confirmation. It
// returns "" if nothing was started.
func upload(ctx context.Context, con streams, im *userio.Importer, file string, f importFlags) (id string, err error) {
	in := con.in
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return "", usageError{err}
		}
		defer opened.Close()
		in = opened
	}
	i, err := im.Upload(ctx, file, in, nil)
	if err != nil {
		return "", err
	}
	out := con.out
	if f.asJSON {
		out = con.err
	}
	if err := preview(ctx, out, im, i); err != nil {
		return "", err
	}
	if i.People > 0 && !f.preview && (f.yes || con.confirm("Import "+humanize.People(i.New())+"?")) {
		return i.ID, im.Start(ctx, app.Operator(), i.ID, f.role, f.invite)
	}
	if err := im.Delete(ctx, i.ID); err != nil {
		return "", err
	}
	if f.asJSON {
		err = printJSON(con.out, toJSONImport(i))
	} else {
		_, err = fmt.Fprintln(con.out, "Nothing was imported.")
	}
	return "", errors.Join(err, emptyError(i))
}

// emptyError returns an error if no one in the file can be added.
func emptyError(i userio.Import) error {
	switch {
	case i.People > 0:
		return nil
	case i.Lines == 0:
		return fmt.Errorf("there is no one in %s", i.File)
	}
	return fmt.Errorf("no one in %s can be imported; see the problems above", i.File)
}

// preview prints a summary of the file and its problems.
func preview(ctx context.Context, out io.Writer, im *userio.Importer, i userio.Import) error {
	fmt.Fprintf(out, "%s: %s, %d of them already on the list; %s skipped.\n",
		humanize.Plural(i.Lines, "line"), humanize.People(i.People), i.Listed, humanize.Plural(i.Problems, "line"))
	for _, column := range i.UnknownColumns {
		fmt.Fprintf(out, "Ignored column: %q.\n", column)
	}
	notes, err := im.Notes(ctx, i.ID, userio.Problems, maxShownProblems)
	if err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintf(out, "line %d: %s\n", n.Line, n.Text)
	}
	if i.Problems > len(notes) {
		fmt.Fprintf(out, "and %d more\n", i.Problems-len(notes))
	}
	return nil
}

// waitForImport runs the import to its end and prints the result.
func waitForImport(ctx context.Context, con streams, a *app.Admin, im *userio.Importer, id string, asJSON bool) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	mails := make(chan struct{})
	go func() { a.Worker.Run(working); close(mails) }() // an import with invitations waits for the outbox
	bar := con.progress("importing")
	i, err := im.Follow(ctx, id, func(i userio.Import) { bar.Set(i.Added+i.Skipped+i.LeftOut, i.People) })
	bar.Close()
	notes := ""
	if err == nil && i.Invite && i.State == userio.Done {
		notes = waitForMail(ctx, im)
	}
	stop()
	<-mails
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted; a running instance continues it, or run guestlist users import --resume %s", id)
	case err != nil:
		return err
	case asJSON:
		err = printJSON(con.out, toJSONImport(i))
	default:
		if i.LeftOut > 0 {
			notes = fmt.Sprintf(" Skipped %s removed after the import started.", humanize.People(i.LeftOut)) + notes
		}
		_, err = fmt.Fprintf(con.out, "Added %s; %d already on the list.%s\n", humanize.People(i.Added), i.Skipped, notes)
	}
	if i.State == userio.Stopped {
		err = errors.Join(err, fmt.Errorf("the import was stopped; to continue, run guestlist users import --resume %s. %s", id, i.Reason))
	}
	return err
}

// waitForMail waits up to app.DeliverTimeout for the last invitations to be sent. It
// returns a message if some are left, or "".
func waitForMail(ctx context.Context, im *userio.Importer) string {
	wait, cancel := context.WithTimeout(ctx, app.DeliverTimeout)
	defer cancel()
	for {
		n, err := im.CountPendingJobs(wait, 1)
		switch {
		case err == nil && n == 0:
			return ""
		case err != nil || wait.Err() != nil:
			return " Some invitations haven't been sent yet; a running instance will send them."
		}
		_ = retry.Sleep(wait, 100*time.Millisecond)
	}
}

func toJSONImport(i userio.Import) jsonImport {
	return jsonImport{ID: i.ID, File: i.File, State: i.State, People: i.People, Listed: i.Listed, Problems: i.Problems, Added: i.Added, Kept: i.Skipped, LeftOut: i.LeftOut}
}
