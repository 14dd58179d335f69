package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/demo"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// demoApp is the demo app of local mode. It is an app like any other, except that its upstream
// is in this process, at a port that each start chooses.
type demoApp struct {
	id       string
	origin   string   // as browsers see it
	upstream *url.URL // where it listens
	server   *http.Server
}

// openDemo creates the demo app on the first start of a database in local mode, and serves it
// unless an administrator has removed it or given it another upstream.
func (a *App) openDemo(ctx context.Context) error {
	if !a.demoWanted || !a.cfg.LocalMode() || a.cfg.ListenerURL() != a.cfg.BaseURL.Scheme+"://"+a.cfg.BaseURL.Host { // or there is a proxy in front
		return nil
	}
	app, err := a.findDemo(ctx, demoOrigin(a.cfg.BaseURL))
	if errors.Is(err, directory.ErrNotFound) || err == nil && app.Upstream != "" {
		return nil
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the demo app can't listen: %w", err)
	}
	handler := demo.New(demo.Options{AppID: app.ID, Home: a.cfg.BaseURL, Keys: a.Signer.PublicKeys, Now: a.now, Log: a.log})
	server := &http.Server{
		Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	a.demo = &demoApp{
		id: app.ID, origin: app.URL(), upstream: &url.URL{Scheme: "http", Host: listener.Addr().String()}, server: server,
	}
	a.background.Go(func() { _ = server.Serve(listener) }) // ends with Close
	return nil
}

// findDemo returns the demo app, which it creates if it has never existed. It returns
// directory.ErrNotFound if it was removed.
func (a *App) findDemo(ctx context.Context, origin string) (apps.App, error) {
	id, err := a.Store.DemoApp(ctx)
	if err != nil {
		return apps.App{}, err
	}
	if id != "" {
		return a.moveDemo(ctx, id, origin)
	}
	in := apps.Input{Name: "Demo", URL: origin, Audience: string(apps.Everyone)}
	app, err := a.Apps.Create(ctx, event.Origin{}, in)
	if errors.Is(err, apps.ErrNameTaken) {
		in.Name = strings.TrimPrefix(origin, "http://")
		app, err = a.Apps.Create(ctx, event.Origin{}, in)
	}
	if errors.Is(err, apps.ErrHostTaken) { // the last start ended here, or GUESTLIST_APPS has it
		app, err = a.Apps.GetByHost(ctx, strings.TrimPrefix(origin, "http://"))
	}
	if err != nil {
		return apps.App{}, err
	}
	return app, a.Store.RecordDemoApp(ctx, app.ID)
}

// moveDemo returns the demo app, after changing its address if the program now listens on another
// port than at the last start.
func (a *App) moveDemo(ctx context.Context, id, origin string) (apps.App, error) {
	app, err := a.Apps.Get(ctx, id)
	if err == nil && !app.HasAddress() { // an administrator has removed it
		return app, directory.ErrNotFound
	}
	if err != nil || app.URL() == origin || app.Upstream != "" {
		return app, err
	}
	in := app.Input()
	in.URL, in.Seen = origin, time.Time{}
	moved, err := a.Apps.Edit(ctx, event.Origin{}, id, in)
	if errors.Is(err, apps.ErrHostTaken) {
		return app, directory.ErrNotFound
	}
	return moved, err
}

// demoOrigin returns the demo app's address. Browsers and curl take every name below localhost for
// this machine.
func demoOrigin(base *url.URL) string {
	host := "demo.localhost"
	if port := base.Port(); port != "" {
		host += ":" + port
	}
	return "http://" + host
}

// DemoURL returns the address of the demo app, or "" if there is none.
func (a *App) DemoURL() string {
	if a.demo == nil {
		return ""
	}
	return a.demo.origin
}
