package ids_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/ids"
)

func TestNew_SortsByTime(t *testing.T) {
	t.Parallel()
	first, second := ids.New(), ids.New()
	if first >= second {
		t.Errorf("%s does not sort before %s", first, second)
	}
	if id, err := uuid.Parse(first); err != nil || id.Version() != 7 {
		t.Errorf("%s is not a UUID of version 7: %v", first, err)
	}
}
