package digest_test

import (
	"testing"

	"github.com/guestlist/guestlist/internal/digest"
)

// https://csrc.nist.gov/csrc/media/projects/cryptographic-standards-and-guidelines/documents/examples/sha_all.pdf
func TestSHA256Hex_PublishedExample(t *testing.T) {
	t.Parallel()
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := digest.SHA256Hex("abc"); got != want {
		t.Errorf("string: got %s, want %s", got, want)
	}
	if got := digest.SHA256Hex([]byte("abc")); got != want {
		t.Errorf("bytes: got %s, want %s", got, want)
	}
}
