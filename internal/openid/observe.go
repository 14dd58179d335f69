package openid

import (
	"errors"
	"slices"
	"strings"
)

// grantLabel returns the label of a grant type in metrics. Those that there aren't have one label, so
// that requests can't create others.
func grantLabel(grantType string) string {
	if !slices.Contains(GrantTypes, grantType) {
		return "other"
	}
	return grantType[strings.LastIndexByte(grantType, ':')+1:]
}

// resultLabel returns the label of the result of a token request in metrics.
func resultLabel(err error) string {
	var refused *Error
	switch {
	case err == nil:
		return "issued"
	case errors.As(err, &refused):
		return refused.Code
	}
	return "unavailable"
}
