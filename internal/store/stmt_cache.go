package store

import (
	"context"
	"database/sql"
	"strings"
	"sync"
)

// stmtCache keeps statements of a pool, each prepared when it is first used, for
// SQLite takes longer to prepare one than to run it.
type stmtCache struct {
	db         *sql.DB
	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

func newPrepared(db *sql.DB) *stmtCache {
	return &stmtCache{db: db, statements: map[string]*sql.Stmt{}}
}

// get returns the statement of a query, nil if it is not to be kept: one that
// takes a list has as many texts as lists have lengths. The pool closes it.
func (p *stmtCache) get(ctx context.Context, query string) (*sql.Stmt, error) {
	if strings.Contains(query, ",?") { // as sqlc writes a list, and nobody else
		return nil, nil
	}
	p.mu.RLock()
	stmt := p.statements[query]
	p.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.statements[query]; other != nil {
		return other, stmt.Close()
	}
	p.statements[query] = stmt
	return stmt, nil
}
