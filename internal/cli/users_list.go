package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
)

// listFlags are the filters of guestlist users list and export.
type listFlags struct {
	q, status, role, sort string
	limit                 int
	asJSON                bool
}

func (p *cli) usersListCommand() *cobra.Command {
	var f listFlags
	c := &cobra.Command{
		Use: "list", Short: "List people",
		Long: `List people: all of them, or those that are asked for, as with /api/users. With --json:
{"users": [{"id", "name", "email", "role", "status", "created_at", "last_seen_at"}]}, where last_seen_at is null for never.
Where a search finds too many to sort, they are in order of the word found.`,
		Example: `  guestlist users list
  guestlist users list --q lovelace --role admin
  guestlist users list --sort -last_seen_at --limit 10
  guestlist users list --json`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			return listUsers(ctx, cfg, con, f)
		}),
	}
	f.addFilters(c)
	c.Flags().IntVar(&f.limit, "limit", 0, "maximum number of people, `MANY`; 0 for all")
	addJSONFlag(c, &f.asJSON)
	return c
}

func (f *listFlags) addFilters(c *cobra.Command) {
	c.Flags().StringVar(&f.q, "q", "", "only people with a word in their name or address that starts with `WORD` (or several words)")
	c.Flags().StringVar(&f.status, "status", "", "only people with this `STATUS`: invited, refused (invited, but the email was refused), active or suspended")
	c.Flags().StringVar(&f.role, "role", "", "only people with this `ROLE`: admin or member")
	c.Flags().StringVar(&f.sort, "sort", "", "sort by `COLUMN`: name, email, created_at or last_seen_at; prefix - for descending")
}

// query returns the directory query of the flags, or a usage error.
func (f listFlags) query() (directory.Query, error) {
	q, fields := directory.Query{Limit: directory.MaxLimit}, map[string]string{}
	note := func(field string, err error) {
		if err != nil {
			fields[field] = err.Error()
		}
	}
	var err error
	q.Terms, err = directory.ParseSearch(f.q)
	note("--q", err)
	q.Sort, err = directory.ParseSort(f.sort)
	note("--sort", err)
	if f.role != "" {
		q.Role, err = directory.ParseRole(f.role)
		note("--role", err)
	}
	if f.status != "" {
		note("--status", q.FilterStatus(f.status))
	}
	if f.limit < 0 {
		fields["--limit"] = "Enter a number of people, or 0 for all."
	}
	if len(fields) > 0 {
		return q, usageErrorFrom(&directory.ValidationError{Fields: fields})
	}
	return q, nil
}

// listUsers prints users page by page, so that memory does not grow with the list.
func listUsers(ctx context.Context, cfg config.Config, con streams, f listFlags) error {
	query, err := f.query()
	if err != nil {
		return err
	}
	st, err := app.OpenStore(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer st.Close()
	var out userPrinter = &tablePrinter{
		w: tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0), store: st, inviteDuration: cfg.InviteDuration, now: con.now,
	}
	if f.asJSON {
		out = &jsonPrinter{e: jsontext.NewEncoder(con.out)}
	}
	if err := out.begin(); err != nil {
		return err
	}
	for remaining := f.limit; ; {
		if f.limit > 0 {
			query.Limit = min(remaining, directory.MaxLimit)
		}
		page, err := st.ListUsers(ctx, query)
		if err != nil {
			return err
		}
		if err := out.page(ctx, page.Users); err != nil {
			return err
		}
		if remaining -= len(page.Users); page.Next == nil || f.limit > 0 && remaining == 0 {
			return out.end()
		}
		query.After = page.Next
	}
}

// userPrinter writes users, one page at a time.
type userPrinter interface {
	begin() error
	page(ctx context.Context, users []directory.User) error
	end() error
}

// tablePrinter writes a table. Its columns are as wide as each page needs.
type tablePrinter struct {
	w              *tabwriter.Writer
	store          directory.Reader
	inviteDuration time.Duration
	now            func() time.Time
}

func (t *tablePrinter) begin() error {
	_, err := io.WriteString(t.w, "NAME\tEMAIL\tROLE\tSTATUS\tLAST SEEN\n")
	return err
}

func (t *tablePrinter) page(ctx context.Context, users []directory.User) error {
	jobs, err := t.store.ListInviteJobs(ctx, users)
	if err != nil {
		return err
	}
	for _, u := range users {
		seen := "never"
		if !u.LastSeenAt.IsZero() {
			seen = u.LastSeenAt.Format("2006-01-02 15:04 UTC")
		}
		status := strings.ToLower(u.Label(jobs[u.Email.Normalized], t.inviteDuration, t.now()))
		fmt.Fprintf(t.w, "%s\t%s\t%s\t%s\t%s\n", u.Name, u.Email.Display, u.Role, status, seen)
	}
	return t.w.Flush()
}

func (t *tablePrinter) end() error { return nil }

// jsonPrinter writes one JSON document.
type jsonPrinter struct{ e *jsontext.Encoder }

func (d *jsonPrinter) begin() error {
	return d.write(jsontext.BeginObject, jsontext.String("users"), jsontext.BeginArray)
}

func (d *jsonPrinter) page(_ context.Context, users []directory.User) error {
	for _, u := range users {
		if err := json.MarshalEncode(d.e, directory.NewUserJSON(u)); err != nil {
			return err
		}
	}
	return nil
}

func (d *jsonPrinter) end() error { return d.write(jsontext.EndArray, jsontext.EndObject) }

func (d *jsonPrinter) write(tokens ...jsontext.Token) error {
	for _, token := range tokens {
		if err := d.e.WriteToken(token); err != nil {
			return err
		}
	}
	return nil
}
