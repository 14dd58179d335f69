package stytchlocal

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/guestlist/guestlist/internal/text"
)

// What a user may hold. Stytch's limits on metadata; the others keep a row small.
const (
	maxMetadata     = 4096 // of one map as JSON, in bytes
	maxMetadataKeys = 20
	maxName         = 500 // of each part, in bytes
	maxRoles        = 50
	maxRole         = 64 // in bytes
)

// profile is what an invitation may say about a user. What is missing stays.
type profile struct {
	Name *struct {
		First  *string `json:"first_name"`
		Middle *string `json:"middle_name"`
		Last   *string `json:"last_name"`
	} `json:"name"`
	Trusted   json.RawMessage `json:"trusted_metadata"`
	Untrusted json.RawMessage `json:"untrusted_metadata"`
}

// fullProfile is all that the caller may say about a user.
type fullProfile struct {
	profile
	ExternalID *string   `json:"external_id"` // empty: takes it away
	Roles      *[]string `json:"roles"`
}

// fillIn puts empty values where there are none, so that the API shows them as
// such and not as null.
func (d *userDetails) fillIn() {
	if d.Roles == nil {
		d.Roles = []string{}
	}
	if d.Trusted == nil {
		d.Trusted = metadata{}
	}
	if d.Untrusted == nil {
		d.Untrusted = metadata{}
	}
}

func (p *profile) apply(user *account) (err error) {
	if p.Name != nil {
		for _, part := range []struct {
			given *string
			kept  *string
		}{{p.Name.First, &user.Name.First}, {p.Name.Middle, &user.Name.Middle}, {p.Name.Last, &user.Name.Last}} {
			if part.given == nil {
				continue
			}
			if len(*part.given) > maxName {
				return badRequest(fmt.Sprintf("No part of a name may be longer than %d bytes.", maxName))
			}
			*part.kept = text.Clean(*part.given)
		}
	}
	if user.Trusted, err = user.Trusted.merge(p.Trusted); err != nil {
		return err
	}
	user.Untrusted, err = user.Untrusted.merge(p.Untrusted)
	return err
}

func (p *fullProfile) apply(user *account) error {
	if err := p.profile.apply(user); err != nil {
		return err
	}
	if p.ExternalID != nil {
		if *p.ExternalID != "" && !isExternalID(*p.ExternalID) {
			return badRequest("An external id has 1 to 128 letters, digits, dots, hyphens, underscores and bars, and is not like a user id.")
		}
		user.ExternalID = sql.NullString{String: *p.ExternalID, Valid: *p.ExternalID != ""}
	}
	if p.Roles != nil {
		if len(*p.Roles) > maxRoles {
			return badRequest(fmt.Sprintf("A user must not have more than %d roles.", maxRoles))
		}
		for _, role := range *p.Roles {
			if role == "" || len(role) > maxRole {
				return badRequest(fmt.Sprintf("A role has 1 to %d bytes.", maxRole))
			}
		}
		user.Roles = append([]string{}, *p.Roles...)
	}
	return nil
}

// merge returns the metadata after a change: key by key at the top, null deletes.
func (m metadata) merge(change json.RawMessage) (metadata, error) {
	if len(change) == 0 || string(change) == "null" {
		return m, nil
	}
	var keys metadata
	if err := json.Unmarshal(change, &keys); err != nil {
		return nil, errMetadataForm
	}
	merged := maps.Clone(m)
	if merged == nil {
		merged = metadata{}
	}
	for key, value := range keys {
		if string(value) == "null" {
			delete(merged, key)
		} else {
			merged[key] = value
		}
	}
	text, err := json.Marshal(merged)
	switch {
	case err != nil:
		return nil, fmt.Errorf("write metadata: %w", err)
	case len(merged) > maxMetadataKeys:
		return nil, errMetadataKeys
	case len(text) > maxMetadata:
		return nil, errMetadataTooLarge
	}
	return merged, nil
}
