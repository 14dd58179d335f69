package stytchlocal

import "strings"

// attributes describe a browser, as the caller saw it.
type attributes struct {
	IPAddress string `json:"ip_address"`
	UserAgent string `json:"user_agent"`
}

// maxAttribute is how much of an attribute is kept, in bytes.
const maxAttribute = 1000

// truncate shortens what is too long to keep. Both sides of a comparison are cut, so
// that they still agree.
func (a *attributes) truncate() *attributes {
	if a == nil {
		return nil
	}
	return &attributes{IPAddress: cut(a.IPAddress), UserAgent: cut(a.UserAgent)}
}

func cut(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxAttribute)], "") // no half character at the end
}

// matchOptions say which attributes must be those of the browser that asked.
type matchOptions struct {
	IP        bool `json:"ip_match_required"`
	UserAgent bool `json:"user_agent_match_required"`
}

// check compares the attributes of the browser that asked with those of the one
// that came back. What was never told does not match.
func (o matchOptions) check(asked, came *attributes) error {
	if !o.IP && !o.UserAgent {
		return nil
	}
	if asked == nil || came == nil {
		return errAttributeMismatch
	}
	if o.IP && (asked.IPAddress == "" || asked.IPAddress != came.IPAddress) ||
		o.UserAgent && (asked.UserAgent == "" || asked.UserAgent != came.UserAgent) {
		return errAttributeMismatch
	}
	return nil
}
