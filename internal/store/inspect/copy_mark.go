package inspect

import (
	"context"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CopyMarkerKey is the name of the setting that marks an incomplete copy. Its value is the source's Name.
const CopyMarkerKey = "copy_of"

// CopySource returns the name of the database that this is an incomplete copy of; empty if it isn't one.
func CopySource(ctx context.Context, q *dbsqlc.Queries) (string, error) {
	source, err := q.GetSetting(ctx, CopyMarkerKey)
	if dbconn.IsNoRows(err) {
		return "", nil
	}
	return source, err
}

// IncompleteCopy returns the error for an incomplete copy of a database; nil if source is empty.
func IncompleteCopy(source string) error {
	if source == "" {
		return nil
	}
	return fault.New("this database is an incomplete copy of "+source, "Finish it with the same guestlist copy command, or set DATABASE_URL to another database.")
}
