package apps

import "time"

// AppJSON is an app as programs see it: in the API and on the command line.
type AppJSON struct {
	ID            string         `json:"id"`
	Name          string         `json:"name"`
	URL           string         `json:"url"`      // empty if the app has no address
	HomeURL       string         `json:"home_url"` // empty for its address
	Audience      string         `json:"audience"`
	Groups        []AppGroupJSON `json:"groups"`
	Upstream      string         `json:"upstream"` // empty if another proxy sends requests to the app
	PublicPaths   []string       `json:"public_paths"`
	AllowRequests bool           `json:"allow_requests"`
	Enabled       bool           `json:"enabled"`
	CreatedAt     time.Time      `json:"created_at"`
	UpdatedAt     time.Time      `json:"updated_at"`
}

// AppGroupJSON is a group that opens an app.
type AppGroupJSON struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// NewAppJSON converts an app.
func NewAppJSON(a App) AppJSON {
	j := AppJSON{
		ID: a.ID, Name: a.Name, URL: a.URL(), HomeURL: a.HomeURL, Audience: string(a.Audience), Groups: make([]AppGroupJSON, len(a.Groups)),
		Upstream: a.Upstream, PublicPaths: append([]string{}, a.PublicPaths...), AllowRequests: a.AllowRequests, Enabled: a.Enabled,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
	for i, g := range a.Groups {
		j.Groups[i] = AppGroupJSON{g.ID, g.Name}
	}
	return j
}

// TokenJSON is a token of an app as programs see it, without its secret.
type TokenJSON struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	User      *TokenUserJSON `json:"user"` // null for a service
	CreatedAt time.Time      `json:"created_at"`
	ExpiresAt time.Time      `json:"expires_at"`
}

// TokenUserJSON is the user a token acts as.
type TokenUserJSON struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

// NewTokenJSON converts a token.
func NewTokenJSON(t Token) TokenJSON {
	j := TokenJSON{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
	if !t.IsService() {
		j.User = &TokenUserJSON{ID: t.User.ID, Email: t.User.Email.Display}
	}
	return j
}
