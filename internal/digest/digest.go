// Package digest computes the digests that are stored instead of secrets and addresses.
package digest

import (
	"crypto/sha256"
	"encoding/hex"
)

// SHA256Hex returns the SHA-256 digest of data in lower-case hexadecimal, 64 characters.
func SHA256Hex[T ~string | ~[]byte](data T) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}
