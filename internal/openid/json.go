package openid

import "time"

// ClientJSON is a client as programs see it: in the API and on the command line. The names are those
// of client metadata (https://www.rfc-editor.org/rfc/rfc7591#section-2).
type ClientJSON struct {
	ClientID          string    `json:"client_id"`
	Issuer            string    `json:"issuer"`
	Public            bool      `json:"public"`
	Algorithm         string    `json:"id_token_signed_response_alg"`
	RedirectURIs      []string  `json:"redirect_uris"`
	PostLogoutURIs    []string  `json:"post_logout_redirect_uris"`
	BackchannelLogout string    `json:"backchannel_logout_uri"` // may be empty
	CreatedAt         time.Time `json:"created_at"`
	UpdatedAt         time.Time `json:"updated_at"`
}

// NewClientJSON converts a client.
func NewClientJSON(c Client, issuer string) ClientJSON {
	return ClientJSON{
		ClientID: c.ID, Issuer: issuer, Public: c.Public, Algorithm: string(c.Algorithm), RedirectURIs: append([]string{}, c.RedirectURIs...),
		PostLogoutURIs: append([]string{}, c.PostLogoutURIs...), BackchannelLogout: c.BackchannelLogout, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}

// SecretJSON is a secret as programs see it, without its text.
type SecretJSON struct {
	ID        string     `json:"id"`
	Hint      string     `json:"hint"`
	CreatedBy *string    `json:"created_by"` // id of the administrator; null for the program
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"` // null for no end
}

// NewSecretJSON converts a secret.
func NewSecretJSON(s Secret) SecretJSON {
	j := SecretJSON{ID: s.ID, Hint: s.Hint, CreatedAt: s.CreatedAt}
	if s.CreatedBy != "" {
		j.CreatedBy = &s.CreatedBy
	}
	if !s.ExpiresAt.IsZero() {
		j.ExpiresAt = &s.ExpiresAt
	}
	return j
}
