package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

const (
	// removalCount is the setting that counts removals. Unlike times on different machines, the count reliably orders them.
	removalCount = "removals"
	// removalsRemembered is the setting that exists once RememberRemovals is done.
	removalsRemembered = "removals_remembered"
)

// rememberRemoval records that an address was removed. The transaction must hold the administrators' lock.
func rememberRemoval(ctx context.Context, q queries, emailKey string, at time.Time) error {
	was, err := countRemovals(ctx, q)
	if err != nil {
		return err
	}
	if err := setRemovals(ctx, q, was, was+1, at); err != nil {
		return err
	}
	n, err := q.UpdateRemovedAddress(ctx, dbsqlc.UpdateRemovedAddressParams{RemovedAt: micros(at), Removal: was + 1, EmailKey: emailKey})
	if err != nil || n > 0 {
		return err
	}
	return q.InsertRemovedAddress(ctx, dbsqlc.InsertRemovedAddressParams{EmailKey: emailKey, RemovedAt: micros(at), Removal: was + 1})
}

func setRemovals(ctx context.Context, q queries, was, count int64, at time.Time) error {
	if was == 0 {
		return q.InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: removalCount, Value: strconv.FormatInt(count, 10), UpdatedAt: micros(at)})
	}
	_, err := q.SetSetting(ctx, dbsqlc.SetSettingParams{
		Value: strconv.FormatInt(count, 10), UpdatedAt: micros(at), Name: removalCount, Was: strconv.FormatInt(was, 10),
	})
	return err
}

// countRemovals returns the number of removals counted so far.
func countRemovals(ctx context.Context, q queries) (int64, error) {
	value, err := q.GetSetting(ctx, removalCount)
	if dbconn.IsNoRows(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(value, 10, 64)
}

// forgetRemoval deletes the record of a removed address. Links from before the removal stay invalid.
func forgetRemoval(ctx context.Context, q queries, u directory.User) error {
	removed, err := q.GetRemovedAddress(ctx, u.Email.Normalized)
	if dbconn.IsNoRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := q.SetUserLinksAfter(ctx, dbsqlc.SetUserLinksAfterParams{LinksAfter: removed.RemovedAt, ID: u.ID}); err != nil {
		return err
	}
	return q.DeleteRemovedAddresses(ctx, []string{u.Email.Normalized})
}

// refuseRemoved returns directory.ErrRemoved if a user's address was removed.
func refuseRemoved(ctx context.Context, q queries, u directory.User) error {
	_, err := q.GetRemovedAddress(ctx, u.Email.Normalized)
	switch {
	case err == nil:
		return directory.ErrRemoved
	case dbconn.IsNoRows(err):
		return nil
	}
	return err
}

// Applicant returns what the directory knows of an address; see session.Store.
func (s *Store) Applicant(ctx context.Context, email directory.Email) (directory.Applicant, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	row, err := q.GetUserByEmailKey(ctx, email.Normalized)
	if err != nil && !dbconn.IsNoRows(err) {
		return directory.Applicant{}, translate("find applicant", err)
	}
	a, unlistedErr := unlistedApplicant(ctx, q, email) // for every address, so that all take the same time
	if err == nil {
		u := toUser(row)
		a.User = &u
	}
	return a, translate("find applicant", unlistedErr)
}

// unlistedApplicant returns what the directory knows of an address apart from its user.
func unlistedApplicant(ctx context.Context, q queries, email directory.Email) (directory.Applicant, error) {
	a := directory.Applicant{Email: email}
	admins, err := q.CountAdmins(ctx)
	if err != nil {
		return a, err
	}
	a.Admins = int(admins)
	// Between these two are the mailbox's tagged addresses, at any domain.
	mailbox := email.Mailbox()
	name, domain, _ := strings.Cut(mailbox, "@")
	first, end := name+"+", name+","
	removed, err := q.RemovedMailbox(ctx, dbsqlc.RemovedMailboxParams{Mailbox: mailbox, First: first, Behind: end, AtDomain: "%@" + domain})
	if err != nil && !dbconn.IsNoRows(err) {
		return a, err
	}
	if err == nil {
		a.RemovedAt = fromMicros(removed.RemovedAt)
	}
	a.Alias, err = q.ListedMailbox(ctx, dbsqlc.ListedMailboxParams{Mailbox: mailbox, First: first, Behind: end, AtDomain: "%@" + domain})
	if dbconn.IsNoRows(err) {
		err = nil
	}
	return a, err
}

// RememberRemovals counts the removals in the audit trail that happened before removals were counted; see
// directory.Store. If it is interrupted or several instances run it, it can be repeated.
func (s *Store) RememberRemovals(ctx context.Context) error {
	_, err := read(ctx, s, (*dbsqlc.Queries).GetSetting, removalsRemembered)
	if !dbconn.IsNoRows(err) {
		return translate("find removals", err)
	}
	for query := (event.Query{Kind: event.UserRemoved, Limit: event.MaxLimit}); ; {
		page, next, err := s.ListEvents(ctx, query)
		if err == nil {
			err = s.rememberRemoved(ctx, page)
		}
		if err != nil {
			return err
		}
		if query.Before = next; next == "" {
			break
		}
	}
	err = s.writer().InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: removalsRemembered, UpdatedAt: micros(s.now())})
	if IsDuplicate(err) { // another instance was faster
		err = nil
	}
	return translate("remember removals", err)
}

// rememberRemoved records a page of removals, except of addresses that belong to a user.
func (s *Store) rememberRemoved(ctx context.Context, removals []event.Event) error {
	return s.inTx(ctx, "remember removals", func(q queries) error {
		if len(removals) == 0 {
			return nil
		}
		if _, err := q.LockAdmins(ctx, micros(s.now())); err != nil {
			return err
		}
		count, err := countRemovals(ctx, q)
		if err == nil && count == 0 { // the recorded removals count as the first
			err = setRemovals(ctx, q, 0, 1, s.now())
		}
		if err != nil {
			return err
		}
		for _, e := range removals {
			_, err := q.GetUserByEmailKey(ctx, e.Subject)
			if err == nil {
				continue // added again
			}
			if dbconn.IsNoRows(err) {
				_, err = q.GetRemovedAddress(ctx, e.Subject)
			}
			if err == nil {
				continue // removed again later
			}
			if dbconn.IsNoRows(err) {
				err = q.InsertRemovedAddress(ctx, dbsqlc.InsertRemovedAddressParams{EmailKey: e.Subject, RemovedAt: micros(e.At), Removal: 1})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
