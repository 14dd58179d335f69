package identity_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/identity"
)

func TestHeaders_Values(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	for _, row := range []struct {
		name string
		id   identity.Identity
		want map[string]string
	}{
		{"plain", ada(t), map[string]string{
			"Remote-User": "ada_example.com", "Remote-Email": "ada@example.com", "Remote-Name": "Ada Lovelace", "Remote-Groups": "admins,staff",
		}},
		{
			"letters beyond ASCII, percent signs and commas",
			identity.Identity{AppID: "a", UserID: "u", Email: "50%@example.com", Handle: "h", Name: "Chloé 100%", Groups: []string{"Köln, Nord", "a b"}},
			map[string]string{"Remote-User": "h", "Remote-Email": "50%@example.com", "Remote-Name": "Chlo%C3%A9 100%25", "Remote-Groups": "K%C3%B6ln%2C Nord,a b"},
		},
		{
			"line breaks that were never stored",
			identity.Identity{AppID: "a", UserID: "u", Name: "x\r\nRemote-User: root", Email: "a\nb", Handle: "x\x00", Groups: []string{"\r\n"}},
			map[string]string{"Remote-User": "x%00", "Remote-Email": "a%0Ab", "Remote-Name": "x%0D%0ARemote-User: root", "Remote-Groups": "%0D%0A"},
		},
		{"a program", identity.Identity{AppID: "a", UserID: "u", Name: "deploy"}, map[string]string{"Remote-Name": "deploy"}},
	} {
		h, err := s.Headers(t.Context(), row.id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify(t, s, h.Get("X-Guestlist-Jwt")); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		got := map[string]string{}
		for name := range h {
			if name != "X-Guestlist-Jwt" {
				got[name] = h.Get(name)
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
		if name, err := url.PathUnescape(h.Get("Remote-Name")); err != nil || name != row.id.Name {
			t.Errorf("%s: the name decodes to %q, %v", row.name, name, err)
		}
	}
	if h, err := s.Headers(t.Context(), identity.Identity{}); h != nil || err == nil {
		t.Errorf("%v, %v", h, err)
	}
}

func TestHeaders_FitWhatProxiesAccept(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	named := func(format string) []string {
		var names []string
		for i := range 1000 {
			names = append(names, fmt.Sprintf(format, 999-i))
		}
		return names
	}
	for _, row := range []struct {
		name   string
		person string
		groups []string
		want   int
	}{
		{"a usual name", "Ada Lovelace", named("group %04d"), 79},
		{"short names of groups", "Ada Lovelace", named("%d"), 225},
		{"names of groups beyond ASCII", "Ada Lovelace", named("Köln %04d"), 58},
		{"names of groups that HTML would escape", "Ada Lovelace", named("<&>%d"), 127},
		{"the longest name", strings.Repeat("🙂", directory.MaxName), named("group %04d"), 0},
	} {
		id := ada(t)
		id.Name, id.Groups = row.person, row.groups
		h, err := s.Headers(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for name := range h {
			size += len(name) + len(h.Get(name)) + len(": \r\n")
		}
		var groups []string
		if list := h.Get("Remote-Groups"); list != "" {
			groups = strings.Split(list, ",")
		}
		if size > 3600 || len(groups) != row.want || !slices.IsSorted(groups) {
			t.Errorf("%s: %d bytes, %d groups: %v", row.name, size, len(groups), groups)
		}
		claims, err := verify(t, s, h.Get("X-Guestlist-Jwt"))
		if err != nil {
			t.Fatal(err)
		}
		if inToken := claims["groups"].([]any); len(inToken) != len(groups) || claims["groups_truncated"] != true {
			t.Errorf("%s: %d groups in the token, groups_truncated is %v", row.name, len(inToken), claims["groups_truncated"])
		}
	}
}

// reserved are names of headers that an app might take for an identity header, or that are
// Guestlist's. Those that are true are aliases.
var reserved = map[string]bool{
	"Remote-User": false, "remote-user": false, "REMOTE-USER": false, "Remote-Email": false, "Remote-Name": false, "Remote-Groups": false,
	"X-Guestlist-Jwt": false, "x-guestlist-jwt": false, "X-Guestlist-Token": false, "X-Guestlist-Anything": false,
	"Remote-Anything": false, "Remote_Addr": false, "Remote-": false,

	"Remote_User": true, "Remote.User": true, "remote_user": true, "RemoteUser": true, "REMOTEUSER": true, "Remote--User": true, "Re-Mote-User": true,
	"-Remote-User": true, "Remote-User-": true, "_Remote_User": true, "Remote~User": true, "Remote_Groups": true, "Remote_email": true, "remote.name": true,
	"X_Guestlist_Jwt": true, "X-Guestlist_Jwt": true, "X.Guestlist.Jwt": true, "XGuestlistJwt": true, "X-GuestlistJwt": true, "X_Guestlist_Token": true,
	"X-Guest-List-Jwt": true, "X-Guestlist-Anything_Else": true,
}

var unrelated = []string{
	"Accept", "Cookie", "Authorization", "X-Forwarded-For", "X-Forwarded-User", "X-Remote-User", "X-Real-Ip", "Referer", "Range", "X-Guest",
	"Remote", "Remotely", "Remoteuser2", "User", "X-Request-Id", "X-Original-Url", "_", "",
}

func TestStripHeaders_RemovesReservedOnly(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	for name := range reserved {
		h[name] = []string{"forged"}
	}
	for _, name := range unrelated {
		h[name] = []string{"kept"}
	}
	identity.StripHeaders(h)
	if diff := cmp.Diff(slices.Sorted(slices.Values(unrelated)), slices.Sorted(maps.Keys(h))); diff != "" {
		t.Error(diff)
	}
}

func TestAliases_AreFound(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	var want []string
	for name, isAlias := range reserved {
		h[name] = []string{"forged"}
		if isAlias {
			want = append(want, name)
		}
	}
	for _, name := range unrelated {
		h[name] = []string{"x"}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, identity.Aliases(h)); diff != "" {
		t.Error(diff)
	}
	if found := identity.Aliases(http.Header{"Remote-User": {"x"}}); found != nil {
		t.Error(found)
	}
}

func TestHandle_IsAUserName(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"Ada@Example.com":                                "ada_example.com",
		"ada.lovelace@example.com":                       "ada.lovelace_example.com",
		"grace_hopper@example.com":                       "grace_hopper_example.com",
		"a-b@x-y.example.com":                            "a-b_x-y.example.com",
		"ada+news@example.com":                           "ada-news_542e0137136247e3b323", // as in docs/identity.md
		"ada-news@example.com":                           "ada-news_example.com",
		"_ada@example.com":                               "ada_",
		"ada_@example.com":                               "ada_",
		"a--b@example.com":                               "a-b_",
		"a._b@example.com":                               "a.b_",
		"!#$@example.com":                                "user_",
		"ada@bücher.example":                             "ada_", // xn--bcher-kva.example
		"a.very.long.name.indeed.and.longer@example.com": "a.very.long.name.i_",
		"ada@a.host.name.that.is.longer.than.forty.example.com":    "ada_",
		"seventeen.letters.x@a.host.name.that.is.long.example.com": "seventeen.letters_",
	} {
		got := identity.Handle(parseEmail(t, address))
		if strings.HasSuffix(want, "_") {
			if rest, ok := strings.CutPrefix(got, want); !ok || len(rest) != 20 || strings.Trim(rest, "0123456789abcdef") != "" {
				t.Errorf("%s: %s, want %s and a digest", address, got, want)
			}
		} else if got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
		if len(got) > 39 {
			t.Errorf("%s: %s has %d characters", address, got, len(got))
		}
	}
}

// FuzzHandle checks that two addresses have two handles, and that each is a user name that
// strict apps accept.
func FuzzHandle(f *testing.F) {
	for _, pair := range [][2]string{
		{"a_b@example.com", "a@b_example.com"}, {"a.b@c.example", "a@b.c.example"}, {"a+b@example.com", "a-b@example.com"},
		{"user@example.com", "!@example.com"}, {"a@example.com", "A@example.com"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		a, errA := directory.ParseEmail(first)
		b, errB := directory.ParseEmail(second)
		if errA != nil || errB != nil {
			t.Skip()
		}
		if equal := identity.Handle(a) == identity.Handle(b); equal != (a.Normalized == b.Normalized) {
			t.Errorf("%s and %s: %s and %s", a, b, identity.Handle(a), identity.Handle(b))
		}
		for _, email := range []directory.Email{a, b} {
			h := identity.Handle(email)
			previous := byte('.')
			for i := range len(h) {
				isSeparator := strings.IndexByte("._-", h[i]) >= 0
				if !isSeparator && (h[i] < 'a' || h[i] > 'z') && (h[i] < '0' || h[i] > '9') || isSeparator && strings.IndexByte("._-", previous) >= 0 {
					t.Errorf("%s: %s", email, h)
				}
				previous = h[i]
			}
			if h == "" || len(h) > 39 || strings.IndexByte("._-", previous) >= 0 {
				t.Errorf("%s: %s", email, h)
			}
		}
	})
}
