package session

import (
	"errors"

	"github.com/guestlist/guestlist/internal/directory"
)

// outcomes are the words for how a sign-in can end; the first that matches counts.
var outcomes = []struct {
	err  error
	word string
}{
	{ErrLinkSpent, "link_spent"},
	{ErrLinkUnknown, "link_unknown"},
	{ErrLinkOld, "link_old"},
	{ErrOtherBrowser, "other_browser"},
	{directory.ErrNotListed, "not_listed"},
	{directory.ErrSuspended, "suspended"},
	{ErrTooMany, "too_many"},
	{ErrUnavailable, "stytch_unavailable"},
	{directory.ErrUnavailable, "database_unavailable"},
}

func outcomeLabel(err error) string {
	if err == nil {
		return "signed_in"
	}
	if other := (*OtherAddress)(nil); errors.As(err, &other) {
		return "other_address"
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.word
		}
	}
	return "failed"
}
