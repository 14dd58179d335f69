// Package ids creates identifiers for rows.
package ids

import "github.com/google/uuid"

// New returns a random id: a UUID of version 7, which sorts by the time it was created.
func New() string { return uuid.Must(uuid.NewV7()).String() }
