package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadAll_KeepsValidSettings(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		environ []string
		dotenv  string
		want    []Problem
		errs    []string
	}{
		{name: "nothing"},
		{
			name:    "values, a name, and what goes with neither",
			environ: []string{"GUESTLIST_COLOUR=red", "GUESTLIST_LINK_DURATION=soon", "GUESTLIST_BASE_URL=example.com", "COOKIE_NAME=__Host-door", "STYTCH_SECRET=hush"},
			want: []Problem{
				{}, {Settings: []string{"GUESTLIST_BASE_URL"}}, {Settings: []string{"GUESTLIST_LINK_DURATION"}},
				{Settings: []string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_PROJECT_ENV", "STYTCH_BASE_URL", "STYTCH_WEBHOOK_SECRET", "STYTCH_PUBLIC_TOKEN", "GUESTLIST_LOCAL_STYTCH"}},
			},
			errs: []string{
				`GUESTLIST_COLOUR (environment) is not a setting; run "guestlist help" for a list`,
				"GUESTLIST_BASE_URL must be a URL such as https://example.com or https://example.com/people, with an ASCII host",
				`GUESTLIST_LINK_DURATION must be from 5m to 168h in whole minutes, such as 1h30m, not "soon"`,
				"STYTCH_PROJECT_ID must be set, because STYTCH_SECRET is set",
			},
		},
		{
			name: "a .env that can't be read", dotenv: writeDotEnv(t, "STYTCH_SECRET='hush"),
			want: []Problem{{Settings: names()}},
			errs: []string{"line 1 opens a quote that is never closed"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cfg, wrong := LoadAll(Sources{Environ: append(row.environ, "DATABASE_URL=sqlite:here.db"), DotEnv: row.dotenv})
			if cfg.DatabaseURL != "sqlite:here.db" || cfg.LinkDuration == 0 || cfg.BaseURL == nil || cfg.CookieName == "" {
				t.Errorf("a valid setting is not used: %+v", cfg)
			}
			var errs []string
			for i := range wrong {
				text := wrong[i].Err.Error()
				if row.dotenv != "" {
					text = text[len(row.dotenv)+1:]
				}
				errs, wrong[i].Err = append(errs, text), nil
			}
			if diff := cmp.Diff(row.want, wrong); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(row.errs, errs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRules_NameSettings(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		for _, name := range r.settings {
			if !slices.Contains(names(), name) {
				t.Errorf("%s is not a setting", name)
			}
		}
	}
}
