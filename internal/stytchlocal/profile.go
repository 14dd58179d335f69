package stytchlocal

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/guestlist/guestlist/internal/text"
)

// Limits of a user's profile. Those of metadata are Stytch's; the others keep a row small.
const (
	maxMetadata     = 4096 // of one map as JSON, in bytes
	maxMetadataKeys = 20
	maxName         = 500 // of each part, in bytes
	maxRoles        = 50
	maxRole         = 64 // in bytes
)

// profile is the part of a user that an invitation may set. Missing fields do not change.
type profile struct {
	Name *struct {
		First  *string `json:"first_name"`
		Middle *string `json:"middle_name"`
		Last   *string `json:"last_name"`
	} `json:"name"`
	Trusted   json.RawMessage `json:"trusted_metadata"`
	Untrusted json.RawMessage `json:"untrusted_metadata"`
}

// fullProfile is the part of a user that create and update may set.
type fullProfile struct {
	profile
	ExternalID *string   `json:"external_id"` // if empty, it is removed
	Roles      *[]string `json:"roles"`
}

// setDefaults replaces nil values, which the API would return as null.
func (d *userDetails) setDefaults() {
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
			value *string
			field *string
		}{{p.Name.First, &user.Name.First}, {p.Name.Middle, &user.Name.Middle}, {p.Name.Last, &user.Name.Last}} {
			if part.value == nil {
				continue
			}
			if len(*part.value) > maxName {
				return badRequest(fmt.Sprintf("No part of a name may be longer than %d bytes.", maxName))
			}
			*part.field = text.Clean(*part.value)
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
	if p.Roles == nil {
		return nil
	}
	if len(*p.Roles) > maxRoles {
		return badRequest(fmt.Sprintf("A user must not have more than %d roles.", maxRoles))
	}
	for _, role := range *p.Roles {
		if role == "" || len(role) > maxRole {
			return badRequest(fmt.Sprintf("A role has 1 to %d bytes.", maxRole))
		}
	}
	user.Roles = append([]string{}, *p.Roles...)
	return nil
}

// merge returns the metadata after a change of its top-level keys; null deletes a key.
func (m metadata) merge(change json.RawMessage) (metadata, error) {
	if len(change) == 0 || string(change) == "null" {
		return m, nil
	}
	var changes metadata
	if err := json.Unmarshal(change, &changes); err != nil {
		return nil, errMetadataForm
	}
	merged := metadata{}
	maps.Copy(merged, m)
	for key, value := range changes {
		if string(value) == "null" {
			delete(merged, key)
		} else {
			merged[key] = value
		}
	}
	text, err := json.Marshal(merged)
	switch {
	case err != nil:
		return nil, wrap("write metadata", err)
	case len(merged) > maxMetadataKeys:
		return nil, errMetadataKeys
	case len(text) > maxMetadata:
		return nil, errMetadataTooLarge
	}
	return merged, nil
}
