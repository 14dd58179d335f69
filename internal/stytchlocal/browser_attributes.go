package stytchlocal

import "github.com/guestlist/guestlist/internal/text"

type attributes struct {
	IPAddress string `json:"ip_address"`
	UserAgent string `json:"user_agent"`
}

// maxAttribute is how much of an attribute is stored, in bytes.
const maxAttribute = 1000

// truncate returns attributes that are short enough to store. It applies to both sides of
// a comparison.
func (a *attributes) truncate() *attributes {
	if a == nil {
		return nil
	}
	return &attributes{IPAddress: text.TruncateBytes(a.IPAddress, maxAttribute), UserAgent: text.TruncateBytes(a.UserAgent, maxAttribute)}
}

// matchOptions say which attributes must equal those of the browser that requested the
// link.
type matchOptions struct {
	IP        bool `json:"ip_match_required"`
	UserAgent bool `json:"user_agent_match_required"`
}

// check compares the attributes of the browser that requested a link with those of the
// browser that opened it. A missing attribute does not match.
func (o matchOptions) check(requested, opened *attributes) error {
	if !o.IP && !o.UserAgent {
		return nil
	}
	if requested == nil || opened == nil {
		return errAttributeMismatch
	}
	if o.IP && (requested.IPAddress == "" || requested.IPAddress != opened.IPAddress) ||
		o.UserAgent && (requested.UserAgent == "" || requested.UserAgent != opened.UserAgent) {
		return errAttributeMismatch
	}
	return nil
}
