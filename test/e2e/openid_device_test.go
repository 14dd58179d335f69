package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

const deviceQuestion = "Sign in to Wiki on a device?"

func TestDevice_SignIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		signedInAt := site.Clock.Now()
		site.Clock.Advance(time.Minute)
		device := client.StartDevice()
		if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(device.UserCode) ||
			!strings.HasPrefix(device.DeviceCode, "gld_") || device.VerificationURI != site.URL+"/device" ||
			device.CompleteURI != device.VerificationURI+"?user_code="+device.UserCode || device.ExpiresIn != 600 || device.Interval != 5 {
			t.Errorf("got %+v", device)
		}
		page := ada.Get("/device?user_code=" + device.UserCode)
		harness.WantPage(t, page, http.StatusOK, "Sign in on a device", "Check that your device shows this code.")
		site.Clock.Advance(2 * time.Minute)
		page = ada.Submit(page, "Continue")
		harness.WantPage(t, page, http.StatusOK, deviceQuestion, "ada@example.com", "127.0.0.1", "2 minutes ago", "Only allow this if you started it yourself.")
		wantOAuthError(t, client.PollDevice(device.DeviceCode), http.StatusBadRequest, "authorization_pending")
		harness.WantPage(t, ada.Submit(page, "Allow"), http.StatusOK, "Device allowed", "as ada@example.com. You can close this page.")

		tokens := tokensOf(t, client.PollDevice(device.DeviceCode))
		provider, err := oidc.NewProvider(t.Context(), site.URL)
		harness.Must(t, err)
		token, err := provider.Verifier(&oidc.Config{ClientID: client.App.ID, Now: site.Clock.Now}).Verify(t.Context(), tokens.IDToken)
		harness.Must(t, err)
		var claims struct {
			Email    string `json:"email"`
			AuthTime int64  `json:"auth_time"`
			Nonce    string `json:"nonce"`
		}
		harness.Must(t, token.Claims(&claims))
		if claims.Email != "ada@example.com" || claims.AuthTime != signedInAt.Unix() || claims.Nonce != "" {
			t.Errorf("the claims are %+v, of a sign-in at %d", claims, signedInAt.Unix())
		}
		tokensOf(t, client.Renew(tokens.RefreshToken))
		wantOAuthError(t, client.PollDevice(device.DeviceCode), http.StatusBadRequest, "invalid_grant")
		if v := client.UserInfo(site, tokens.AccessToken); v.Status != http.StatusOK {
			t.Errorf("userinfo after another poll: %d", v.Status)
		}
		for _, kind := range []event.Kind{event.DeviceAllowed, event.AppSignedIn} {
			if n := site.Count("SELECT COUNT(*) FROM events WHERE kind = '" + string(kind) + "'"); n != 1 {
				t.Errorf("%d events %s", n, kind)
			}
		}
		ada.Post("/signout")
		wantOAuthError(t, client.UserInfo(site, tokens.AccessToken), http.StatusUnauthorized, "invalid_token")
		wantOAuthError(t, client.Renew(tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
	})
}

func TestDevice_PollsWithoutTokens(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{Public: true})
		other := site.AddClient(site.AddApp("Board", "https://board.example.com", "staff"), openid.ClientInput{RedirectURIs: "https://board.example.com/"})
		const pending, slowDown = "authorization_pending", "slow_down"

		device := client.StartDevice()
		for _, poll := range []struct {
			after time.Duration
			want  string
		}{
			{0, pending},
			{5 * time.Second, pending},
			{4100 * time.Millisecond, pending}, // the network may have delayed the one before
			{3 * time.Second, slowDown},        // the interval is now 10 s
			{5 * time.Second, slowDown},        // and now 15 s
			{10 * time.Second, slowDown},       // and now 20 s
			{20 * time.Second, pending},
			{20 * time.Second, pending},
		} {
			site.Clock.Advance(poll.after)
			wantOAuthError(t, client.PollDevice(device.DeviceCode), http.StatusBadRequest, poll.want)
		}
		wantOAuthError(t, other.PollDevice(device.DeviceCode), http.StatusBadRequest, "invalid_grant")
		wantOAuthError(t, client.PollDevice("gld_"+strings.Repeat("A", 52)), http.StatusBadRequest, "invalid_grant")
		wantOAuthError(t, client.PollDevice(device.UserCode), http.StatusBadRequest, "invalid_grant")
		wantOAuthError(t, client.PollDevice(""), http.StatusBadRequest, "invalid_request")

		harness.WantPage(t, ada.DecideDevice(device.UserCode, "Allow"), http.StatusOK, "Device allowed")
		wantOAuthError(t, other.PollDevice(device.DeviceCode), http.StatusBadRequest, "invalid_grant")
		wantOAuthError(t, client.Ask(site, openid.TokenPath, map[string][]string{"grant_type": {"authorization_code"}, "code": {device.DeviceCode}}),
			http.StatusBadRequest, "invalid_grant") // as a code of an authorization request
		tokensOf(t, client.PollDevice(device.DeviceCode))

		device = client.StartDevice()
		harness.WantPage(t, ada.DecideDevice(device.UserCode, "Cancel"), http.StatusOK, "Sign-in cancelled", "wasn’t signed in to Wiki")
		wantOAuthError(t, client.PollDevice(device.DeviceCode), http.StatusBadRequest, "access_denied")

		expired, late := client.StartDevice(), client.StartDevice()
		harness.WantPage(t, ada.DecideDevice(late.UserCode, "Allow"), http.StatusOK, "Device allowed")
		site.Clock.Advance(10*time.Minute - time.Microsecond)
		wantOAuthError(t, client.PollDevice(expired.DeviceCode), http.StatusBadRequest, pending)
		site.Clock.Advance(time.Microsecond)
		wantOAuthError(t, client.PollDevice(expired.DeviceCode), http.StatusBadRequest, "expired_token")
		wantOAuthError(t, client.PollDevice(late.DeviceCode), http.StatusBadRequest, "expired_token")
	})
}

func TestDevice_AccessEndsBeforePoll(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, _ := startWithClient(t, url, openid.ClientInput{})
		ctx := t.Context()
		for i, row := range []struct {
			name string
			end  func(p *harness.Person, id string) error
		}{
			{"the user signs out", func(p *harness.Person, _ string) error {
				p.Post("/signout")
				return nil
			}},
			{"the user is suspended", func(_ *harness.Person, id string) error {
				suspended := string(directory.Suspended)
				_, err := site.App.Directory.Edit(ctx, directory.Actor{}, id, directory.Edit{Status: &suspended})
				return err
			}},
			{"the user is removed", func(_ *harness.Person, id string) error {
				_, err := site.App.Directory.Remove(ctx, directory.Actor{}, id)
				return err
			}},
			{"the user leaves the group", func(_ *harness.Person, id string) error {
				staff, err := site.App.Groups.Find(ctx, "staff")
				harness.Must(t, err)
				return site.App.Groups.Leave(ctx, event.Origin{}, staff.ID, id)
			}},
			{"the app is switched off", func(*harness.Person, string) error {
				_, err := site.App.Apps.Switch(ctx, event.Origin{}, client.App.ID, false)
				return err
			}},
		} {
			address := fmt.Sprintf("person%d@example.com", i)
			_, err := site.App.Directory.Add(ctx, directory.Actor{}, directory.UserInput{Email: address})
			harness.Must(t, err)
			site.Join("staff", address)
			p := site.NewPerson(address)
			p.SignIn()
			device := client.StartDevice()
			harness.WantPage(t, p.DecideDevice(device.UserCode, "Allow"), http.StatusOK, "Device allowed")
			harness.Must(t, row.end(p, site.UserID(t, address)))
			t.Log(row.name)
			wantOAuthError(t, client.PollDevice(device.DeviceCode), http.StatusBadRequest, "invalid_grant")
			_, err = site.App.Apps.Switch(ctx, event.Origin{}, client.App.ID, true)
			harness.Must(t, err)
		}
		if n := site.Count("SELECT COUNT(*) FROM grant_tokens"); n != 0 {
			t.Errorf("%d tokens were issued", n)
		}
	})
}

func TestDevice_TwoPollsAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		device := client.StartDevice()
		ada.DecideDevice(device.UserCode, "Allow")
		var issued atomic.Int64
		harness.Concurrently(8, func(int) {
			v := client.PollDevice(device.DeviceCode)
			if v.Status == http.StatusOK {
				issued.Add(1)
				return
			}
			wantOAuthError(t, v, http.StatusBadRequest, "invalid_grant")
		})
		if n := site.Count("SELECT COUNT(*) FROM grant_tokens"); issued.Load() != 1 || n != 2 {
			t.Errorf("%d polls got tokens, and there are %d", issued.Load(), n)
		}
	})
}

func TestDevice_TwoDecisionsAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		device := client.StartDevice()
		page := ada.Post("/device", "user_code", device.UserCode)
		harness.Concurrently(8, func(i int) {
			harness.WantPage(t, ada.Submit(page, []string{"Allow", "Cancel"}[i%2]), http.StatusOK, ada.Get(page.Path).Heading())
		})
		decisions := site.Count("SELECT COUNT(*) FROM events WHERE kind IN ('device_allowed', 'device_denied')")
		allowed, grants := site.Count("SELECT COUNT(*) FROM events WHERE kind = 'device_allowed'"), site.Count("SELECT COUNT(*) FROM grants")
		if decisions != 1 || allowed != grants {
			t.Errorf("%d decisions, %d allowed it, %d grants", decisions, allowed, grants)
		}
	})
}

func TestDevice_UserCodes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		wait := func() { site.Clock.Advance(12 * time.Second) } // until one more try is allowed
		enter := func(p *harness.Person, code string) harness.View {
			wait()
			return p.Post("/device", "user_code", code)
		}
		device := client.StartDevice()
		plain := strings.ReplaceAll(device.UserCode, "-", "")
		for _, spelling := range []string{plain, strings.ToLower(device.UserCode), " " + plain[:2] + " " + plain[2:] + "\t", plain[:4] + "–" + plain[4:]} {
			harness.WantPage(t, enter(ada, spelling), http.StatusOK, deviceQuestion)
		}
		for _, text := range []string{"", "WDJB", device.UserCode + "B", "AEIO-UAEI", "1234-5678", "<script>", strings.Repeat("B", 100)} {
			v := enter(ada, text)
			harness.WantPage(t, v, http.StatusUnprocessableEntity, "Sign in on a device", "Enter the eight letters that your device shows")
			if form, ok := v.Form("Continue"); !ok || form.Values.Get("user_code") != text {
				t.Errorf("%q wasn't kept", text)
			}
		}
		used, cancelled, expired := client.StartDevice(), client.StartDevice(), client.StartDevice()
		wait()
		ada.DecideDevice(used.UserCode, "Allow")
		wait()
		ada.DecideDevice(cancelled.UserCode, "Cancel")
		site.Clock.Advance(10 * time.Minute)
		answers := map[string]bool{}
		for _, code := range []string{"BBBB-BBBB", used.UserCode, cancelled.UserCode, expired.UserCode} {
			v := enter(ada, code)
			harness.WantPage(t, v, http.StatusUnprocessableEntity, "Sign in on a device", "This code isn’t right, or it no longer works.")
			answers[strings.ReplaceAll(v.Body, code, "")] = true
		}
		if len(answers) != 1 {
			t.Errorf("the answers differ: %v", answers)
		}
		site.Clock.Advance(time.Hour)
		for range 5 {
			harness.WantPage(t, ada.Post("/device", "user_code", "BBBB-BBBB"), http.StatusUnprocessableEntity, "Sign in on a device")
		}
		device = client.StartDevice()
		v := ada.Post("/device", "user_code", device.UserCode)
		harness.WantPage(t, v, http.StatusTooManyRequests, "Sign in on a device", "Too many tries. Try again in 1 minute.")
		if v.Header.Get("Retry-After") != "12" {
			t.Errorf("Retry-After is %q", v.Header.Get("Retry-After"))
		}
		harness.WantPage(t, ada.InNewBrowser().Get("/device"), http.StatusOK, "Sign in")
		harness.WantPage(t, enter(ada, device.UserCode), http.StatusOK, deviceQuestion)
	})
}

func TestDevice_NeedsAnExistingClientAndIsLimited(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, _ := startWithClient(t, url, openid.ClientInput{})
		unknown := client
		unknown.App.ID = "unknown"
		thief := client
		thief.Secret = "glcs_" + strings.Repeat("A", 52)
		open := client
		open.Secret = ""
		for _, c := range []harness.Client{unknown, thief, open} {
			wantOAuthError(t, c.Ask(site, openid.DevicePath, map[string][]string{"scope": {"openid"}}), http.StatusUnauthorized, "invalid_client")
		}
		wantOAuthError(t, client.Ask(site, openid.DevicePath, map[string][]string{"scope": {"everything"}}), http.StatusBadRequest, "invalid_scope")
		if n := site.Count("SELECT COUNT(*) FROM device_codes"); n != 0 {
			t.Errorf("%d rows were made", n)
		}
		for range 20 {
			client.StartDevice()
		}
		v := client.Ask(site, openid.DevicePath, map[string][]string{"scope": {"openid"}})
		wantOAuthError(t, v, http.StatusTooManyRequests, "temporarily_unavailable")
		if v.Header.Get("Retry-After") != "30" {
			t.Errorf("Retry-After is %q", v.Header.Get("Retry-After"))
		}
		site.Clock.Advance(30 * time.Second)
		client.StartDevice()
	})
}

func TestDevice_ApprovalNeedsTheUser(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		device := client.StartDevice()
		pending := func(when string) {
			t.Helper()
			if n := site.Count("SELECT COUNT(*) FROM device_codes WHERE state = 'pending'"); n != 1 {
				t.Errorf("%s decided the sign-in", when)
			}
		}
		complete := strings.TrimPrefix(device.CompleteURI, site.URL)
		ada.Get(complete)
		pending("opening the link")
		page := ada.Post("/device", "user_code", device.UserCode)
		for _, action := range []string{"/allow", "/cancel"} {
			ada.Get(page.Path + action)
			pending("a GET")
			r := ada.FormRequest(page.Path+action, "")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			harness.WantPage(t, ada.Do(r), http.StatusForbidden, "Request blocked")
			pending("another site")
			harness.WantPage(t, ada.InNewBrowser().Post(page.Path+action), http.StatusOK, "Sign in")
			pending("a browser without a session")
		}
		visitor := ada.InNewBrowser()
		harness.WantPage(t, visitor.Get(complete), http.StatusOK, "Sign in")

		_, err := site.App.Directory.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "bob@example.com"})
		harness.Must(t, err)
		bob := site.NewPerson("bob@example.com")
		bob.SignIn()
		harness.WantPage(t, bob.Get(page.Path), http.StatusForbidden, "You can’t open Wiki", "bob@example.com")
		harness.WantPage(t, bob.Post(page.Path+"/allow"), http.StatusForbidden, "You can’t open Wiki")
		pending("a user who may not open the app")
		wantOAuthError(t, client.PollDevice(device.DeviceCode), http.StatusBadRequest, "authorization_pending")
	})
}
