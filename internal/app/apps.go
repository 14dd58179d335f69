package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// own returns where Guestlist itself can be reached.
func own(cfg config.Config) apps.Own {
	return apps.Own{BaseURL: cfg.BaseURL, Listeners: cfg.Listeners()}
}

// ParseApps returns the apps of GUESTLIST_APPS, which open to everyone.
func ParseApps(cfg config.Config) ([]apps.Input, error) {
	var inputs []apps.Input
	hosts := map[string]bool{}
	for _, setting := range cfg.Apps {
		in := apps.Input{URL: setting.URL, Upstream: setting.Upstream, Audience: string(apps.Everyone), Name: "app"}
		app, err := in.Parse(own(cfg))
		var invalid *directory.ValidationError
		switch {
		case errors.As(err, &invalid) && invalid.Fields["url"] != "":
			return nil, fmt.Errorf("GUESTLIST_APPS can't have the app %q: %s", setting.URL, invalid.Fields["url"])
		case errors.As(err, &invalid):
			return nil, fmt.Errorf("GUESTLIST_APPS can't pass on requests for %s as written after ->: %s", setting.URL, invalid.Fields["upstream"])
		case err != nil:
			return nil, err
		case hosts[app.Host]:
			return nil, fmt.Errorf("GUESTLIST_APPS names %s twice", app.Host)
		}
		hosts[app.Host] = true
		in.Name = nameOfHost(app.Host)
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// nameOfHost returns the name of an app that has none yet: Wiki for wiki.example.com.
func nameOfHost(host string) string {
	label, _, isLong := strings.Cut(host, ".")
	if _, err := netip.ParseAddr(host); err == nil || !isLong || label == "www" || strings.HasPrefix(label, "xn--") || strings.Trim(label, "0123456789") == "" {
		return host
	}
	return strings.ToUpper(label[:1]) + label[1:]
}

// createApps creates the apps whose hosts don't exist yet. It may run on several instances at
// once.
func (c *core) createApps(ctx context.Context, inputs []apps.Input) error {
	for _, in := range inputs {
		_, host, err := apps.ParseURL(in.URL)
		if err != nil {
			return err
		}
		if _, err := c.Apps.GetByHost(ctx, host); !errors.Is(err, directory.ErrNotFound) {
			if err != nil {
				return err
			}
			continue
		}
		_, err = c.Apps.Create(ctx, event.Origin{}, in)
		if errors.Is(err, apps.ErrNameTaken) {
			in.Name = host
			_, err = c.Apps.Create(ctx, event.Origin{}, in)
		}
		if err != nil && !errors.Is(err, apps.ErrHostTaken) {
			return fmt.Errorf("GUESTLIST_APPS: the app %s was not created: %w", in.URL, err)
		}
	}
	return nil
}
