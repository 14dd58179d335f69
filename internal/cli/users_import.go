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
	"github.com/guestlist/guestlist/internal/userio"
)

// maxShownProblems is how many problems of a file are printed.
const maxShownProblems = 20

// importFlags are how a file is to be imported, as typed.
type importFlags struct {
	role                          string
	invite, preview, yes, resumes bool
	asJSON                        bool
}

func (p *cli) usersImportCommand() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use: "import FILE", Short: "Put the people of a file on the list",
		Long: `Put the people of a file on the list: a table (CSV, with semicolons or tabs too), a list of addresses, or JSON; - reads standard
input. Exports of Google Workspace, Microsoft 365 and Entra, Okta, Auth0, Clerk, Cognito, Firebase, Keycloak, Slack, Stytch and
Mailchimp can be read as they are. Of a table, the columns email, name (or first and last name) and role are read, of which email is
needed; others are named. Columns such as status, enabled, suspended or deleted_at are read, too: only people the file marks as active
are imported, the others are named with the line and the word. First it says what is wrong with which line, and asks; on no terminal
it needs --yes, or --preview, which writes nothing. Who is on the list already stays as they are, so the same file can be imported
again. Interrupted, it is carried on by an instance that serves, or with --resume and the number that was printed instead of a file.
The exit status is 1 if the file holds nobody who can be on the list.
With --json, at the end: {"id", "file", "state", "people", "listed", "problems", "added", "kept", "left_out"}.`,
		Example: `  guestlist users import people.csv
  guestlist users import people.csv --invite --yes
  mysql --batch -e 'SELECT id, name, email FROM users' example | guestlist users import - --yes`,
		Args: exactArg("file"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			return importUsers(ctx, cfg, con, args[0], f)
		}),
	}
	c.Flags().StringVar(&f.role, "role", "member", "the `ROLE` of those for whom the file names none: admin or member")
	c.Flags().BoolVar(&f.invite, "invite", false, "mail each an invitation, as fast as mails leave")
	c.Flags().BoolVar(&f.preview, "preview", false, "say what the file holds, and write nothing")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&f.resumes, "resume", false, "go on with an import, whose number is given instead of a file")
	addJSONFlag(c, &f.asJSON)
	return c
}

// jsonImport is the answer of guestlist users import --json.
type jsonImport struct {
	ID       string       `json:"id"`
	File     string       `json:"file"`
	State    userio.State `json:"state"`
	People   int          `json:"people"`   // who can be on the list
	Listed   int          `json:"listed"`   // of them, who were before
	Problems int          `json:"problems"` // lines left out
	Added    int          `json:"added"`
	Kept     int          `json:"kept"`     // left as they were
	LeftOut  int          `json:"left_out"` // removed after the import was started
}

func importUsers(ctx context.Context, cfg config.Config, con streams, file string, f importFlags) error {
	if !f.yes && !f.preview && !f.resumes && !con.interactive {
		return usageError{errors.New("guestlist users import asks before it writes, and on no terminal it needs --yes, or --preview")}
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
		err = im.Resume(ctx, app.Operator().Origin, id)
	} else if id, err = upload(ctx, con, im, file, f); id == "" {
		return err
	}
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return fmt.Errorf("there is no import %s", id)
	case errors.Is(err, userio.ErrInvalidState) && f.resumes: // it runs, which is what was asked for, or is done
	case err != nil:
		return usageErrorFrom(err)
	}
	return waitForImport(ctx, con, a, im, id, f.asJSON)
}

// upload reads the file, says what it holds, and starts the import if that is agreed
// to. The id is empty if there is nothing to follow.
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
	if i.People > 0 && !f.preview && (f.yes || con.confirm(fmt.Sprintf("Put %d people on the list?", i.New()))) {
		return i.ID, im.Start(ctx, app.Operator().Origin, i.ID, f.role, f.invite)
	}
	if err := im.Delete(ctx, i.ID); err != nil {
		return "", err
	}
	if f.asJSON {
		err = printJSON(con.out, toJSONImport(i))
	} else {
		_, err = fmt.Fprintln(con.out, "Nothing was written.")
	}
	return "", errors.Join(err, nobodyIn(i))
}

// nobodyIn returns an error if a file holds nobody who can be on the list.
func nobodyIn(i userio.Import) error {
	switch {
	case i.People > 0:
		return nil
	case i.Lines == 0:
		return fmt.Errorf("there is nobody in %s", i.File)
	}
	return fmt.Errorf("nobody in %s can be put on the list; what is said of its lines tells why", i.File)
}

// preview prints what a file holds and what is wrong with it.
func preview(ctx context.Context, out io.Writer, im *userio.Importer, i userio.Import) error {
	fmt.Fprintf(out, "%d lines: %d people, of whom %d are on the list already; %d lines are left out.\n", i.Lines, i.People, i.Listed, i.Problems)
	for _, column := range i.UnknownColumns {
		fmt.Fprintf(out, "Nothing is read of the column %q.\n", column)
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

// waitForImport carries the import on to its end, and says what came of it.
func waitForImport(ctx context.Context, con streams, a *app.Admin, im *userio.Importer, id string, asJSON bool) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	mails := make(chan struct{})
	go func() { a.Worker.Run(working); close(mails) }() // with invitations, the import waits for mails to leave
	bar := con.progress("importing")
	i, err := im.Follow(ctx, id, func(i userio.Import) { bar.Set(i.Added+i.Skipped+i.LeftOut, i.People) })
	bar.Close()
	left := ""
	if err == nil && i.Invite && i.State == userio.Done {
		left = waitForMail(ctx, im)
	}
	stop()
	<-mails
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted; an instance that serves goes on with it, or guestlist users import --resume %s", id)
	case err != nil:
		return err
	case asJSON:
		err = printJSON(con.out, toJSONImport(i))
	default:
		if i.LeftOut > 0 {
			left = fmt.Sprintf(" %d were removed after the import was started, and are left out.", i.LeftOut) + left
		}
		_, err = fmt.Fprintf(con.out, "%d people put on the list, %d were there and stay as they are.%s\n", i.Added, i.Skipped, left)
	}
	if i.State == userio.Stopped {
		err = errors.Join(err, fmt.Errorf("the import was stopped; guestlist users import --resume %s goes on. %s", id, i.Reason))
	}
	return err
}

// waitForMail gives the last invitations some time, and says what has not left then.
func waitForMail(ctx context.Context, im *userio.Importer) string {
	wait, cancel := context.WithTimeout(ctx, app.DeliverTimeout)
	defer cancel()
	for {
		n, err := im.CountPendingJobs(wait, 1)
		switch {
		case err == nil && n == 0:
			return ""
		case err != nil || wait.Err() != nil:
			return " Not all invitations have left yet; the others will from the instance that serves."
		}
		select {
		case <-wait.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func toJSONImport(i userio.Import) jsonImport {
	return jsonImport{ID: i.ID, File: i.File, State: i.State, People: i.People, Listed: i.Listed, Problems: i.Problems, Added: i.Added, Kept: i.Skipped, LeftOut: i.LeftOut}
}
