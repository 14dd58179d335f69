// Command zitadel-op serves the example OpenID provider of github.com/zitadel/oidc, as it is except
// for its clients, which may use client_secret_post and have addresses to return to after sign-out.
// Its user is test-user@localhost, with the password verysecure.
//
//	zitadel-op -addr 127.0.0.1:9998 -clients clients.json
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// registration is a client in the file of clients.
type registration struct {
	ID                     string   `json:"id"`
	Secret                 string   `json:"secret"`
	AuthMethod             string   `json:"auth_method"` // as in RFC 7591
	RedirectURIs           []string `json:"redirect_uris"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris"`
}

// client is a client of the example with more settings.
type client struct {
	op.Client
	registration registration
}

func (c client) AuthMethod() oidc.AuthMethod { return oidc.AuthMethod(c.registration.AuthMethod) }

func (c client) PostLogoutRedirectURIs() []string { return c.registration.PostLogoutRedirectURIs }

// store is the example's storage with other clients.
type store struct {
	*storage.Storage
	registrations map[string]registration
}

func (s store) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	found, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return client{found, s.registrations[id]}, nil
}

func main() {
	addr := flag.String("addr", "127.0.0.1:9998", "the `address` to serve on; the issuer is http:// and the address")
	path := flag.String("clients", "", "the JSON `file` with the clients")
	flag.Parse()
	text, err := os.ReadFile(*path)
	if err != nil {
		log.Fatal(err)
	}
	var registrations []registration
	if err := json.Unmarshal(text, &registrations); err != nil {
		log.Fatal(err)
	}
	s := store{registrations: map[string]registration{}}
	for _, r := range registrations {
		s.registrations[r.ID] = r
		if r.AuthMethod == "none" {
			storage.RegisterClients(storage.NativeClient(r.ID, r.RedirectURIs...))
			continue
		}
		storage.RegisterClients(storage.WebClient(r.ID, r.Secret, r.RedirectURIs...))
	}
	s.Storage = storage.NewStorage(storage.NewUserStore("http://localhost:9998/"))
	router := exampleop.SetupServer("http://"+*addr, s, slog.New(slog.DiscardHandler), false)
	log.Fatal(http.ListenAndServe(*addr, router))
}
