package dbconn

import (
	"context"
	"database/sql"
	"strings"
	"sync"
)

// Statements caches the prepared statements of a pool, because SQLite takes longer to prepare one than to run it. The
// pool closes them. A nil *Statements has none.
type Statements struct {
	db     *sql.DB
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

// NewStatements returns an empty cache for a pool.
func NewStatements(db *sql.DB) *Statements {
	return &Statements{db: db, byText: map[string]*sql.Stmt{}}
}

// get returns the statement of a query, preparing it if needed. It returns nil for a query with a list of values, which
// has as many texts as lists have lengths.
func (s *Statements) get(ctx context.Context, query string) (*sql.Stmt, error) {
	if s == nil || strings.Contains(query, ",?") { // only sqlc's lists have no space
		return nil, nil
	}
	s.mu.RLock()
	stmt := s.byText[query]
	s.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.byText[query]; other != nil {
		return other, stmt.Close()
	}
	s.byText[query] = stmt
	return stmt, nil
}
