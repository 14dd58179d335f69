package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
)

// askFromDevice sends the request of a device at a network address.
func (f *fixture) askFromDevice(clientID, address string) answer {
	r := f.visitor().request("POST", openid.DevicePath, url.Values{"client_id": {clientID}, "scope": {"openid"}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = address + ":4321"
	return f.visitor().do(r)
}

// newDevice begins the sign-in of a device.
func (f *fixture) newDevice(clientID string) openid.DeviceAuthorization {
	f.t.Helper()
	a := f.askFromDevice(clientID, "192.0.2.7")
	var device openid.DeviceAuthorization
	if err := json.Unmarshal([]byte(a.body), &device); err != nil || a.status != http.StatusOK {
		f.t.Fatalf("%d %s", a.status, a.body)
	}
	return device
}

func TestDevice_CreationIsLimitedPerApp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wiki, board := f.addApp("Wiki", ""), f.addApp("Board", "")
	f.saveClient(wiki, openid.ClientInput{Public: true})
	f.saveClient(board, openid.ClientInput{Public: true})
	for i := range 200 {
		if a := f.askFromDevice(wiki.ID, fmt.Sprintf("198.51.%d.%d", i/20, i)); a.status != http.StatusOK {
			t.Fatalf("device %d: %d %s", i, a.status, a.body)
		}
	}
	a := f.askFromDevice(wiki.ID, "203.0.113.1")
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "2" || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	if a := f.askFromDevice(board.ID, "203.0.113.1"); a.status != http.StatusOK {
		t.Errorf("another app: %d %s", a.status, a.body)
	}
	f.clock.advance(2 * time.Second)
	if a := f.askFromDevice(wiki.ID, "203.0.113.2"); a.status != http.StatusOK {
		t.Errorf("later: %d %s", a.status, a.body)
	}
}

func TestDevice_ScriptsOfOtherSitesMayAsk(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a := f.visitor().send("OPTIONS", openid.DevicePath, "", "Origin", "https://wiki.example.com", "Access-Control-Request-Method", "POST")
	if a.status != http.StatusNoContent || a.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("%d %v", a.status, a.header)
	}
}

func TestDevice_NeedsACompleteSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wiki := f.addApp("Wiki", "")
	f.saveClient(wiki, openid.ClientInput{Public: true})
	device := f.newDevice(wiki.ID)
	path := f.signedIn(directory.Member, "ada@example.com").form("/device", "user_code", device.UserCode).header.Get("Location")
	half := f.halfSignedIn(directory.Member, "half@example.com")
	for _, action := range []string{"/allow", "/cancel"} {
		a := half.form(path + action)
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/second-factor") {
			t.Errorf("%s: %d, leads to %q", action, a.status, a.header.Get("Location"))
		}
	}
	if a := half.get("/device?user_code=" + device.UserCode); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/second-factor") {
		t.Errorf("%d, leads to %q", a.status, a.header.Get("Location"))
	}
	if n := f.count("SELECT COUNT(*) FROM device_codes WHERE state = 'pending'"); n != 1 {
		t.Error("the device was decided")
	}
}

func TestDevice_OnlyTheUserWhoDecidedSeesTheResult(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wiki := f.addApp("Wiki", "")
	f.saveClient(wiki, openid.ClientInput{Public: true})
	ada, bob := f.signedIn(directory.Member, "ada@example.com"), f.signedIn(directory.Member, "bob@example.com")
	path := ada.form("/device", "user_code", f.newDevice(wiki.ID).UserCode).header.Get("Location")
	if a := bob.get(path); a.Heading() != "Sign in to Wiki on a device?" || !strings.Contains(a.Text(), "bob@example.com") || !strings.Contains(a.Text(), "192.0.2.7") {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := ada.form(path + "/allow"); a.status != http.StatusSeeOther || a.header.Get("Location") != path {
		t.Errorf("%d, leads to %q", a.status, a.header.Get("Location"))
	}
	for range 2 { // also by pressing the other button in an old page
		if a := ada.get(path); a.status != http.StatusOK || a.Heading() != "Device allowed" {
			t.Errorf("%d %s", a.status, a.Text())
		}
		ada.form(path + "/cancel")
	}
	for _, a := range []answer{bob.get(path), bob.form(path + "/allow"), bob.form(path + "/cancel"), bob.get("/device/made-up"), ada.form("/device/made-up/allow")} {
		if a.status != http.StatusGone || a.Heading() != "This code no longer works" {
			t.Errorf("%d %s", a.status, a.Text())
		}
	}
	f.exec("UPDATE device_codes SET expires_at = 1") // what was decided stays true
	if a := ada.get(path); a.Heading() != "Device allowed" {
		t.Errorf("%d %s", a.status, a.Text())
	}
}

func TestDevice_OfARemovedClientIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wiki := f.addApp("Wiki", "")
	f.saveClient(wiki, openid.ClientInput{Public: true})
	ada, device := f.signedIn(directory.Member, "ada@example.com"), f.newDevice(wiki.ID)
	path := ada.form("/device", "user_code", device.UserCode).header.Get("Location")
	f.clock.advance(time.Second)
	for _, again := range []bool{false, true} {
		if again {
			f.saveClient(wiki, openid.ClientInput{Public: true}) // another client, with the same id
		} else if err := f.server.opts.Clients.Remove(t.Context(), event.Origin{}, wiki); err != nil {
			t.Fatal(err)
		}
		f.clock.advance(time.Minute)
		for _, a := range []answer{ada.get(path), ada.form(path + "/allow"), ada.form(path + "/cancel")} {
			if a.status != http.StatusGone {
				t.Errorf("added again %v: %d %s", again, a.status, a.Text())
			}
		}
		if a := ada.form("/device", "user_code", device.UserCode); a.status != http.StatusUnprocessableEntity {
			t.Errorf("added again %v: %d %s", again, a.status, a.Text())
		}
		poll := f.visitor().form(openid.TokenPath, "client_id", wiki.ID, "grant_type", "urn:ietf:params:oauth:grant-type:device_code", "device_code", device.DeviceCode)
		if want := map[bool]string{false: "invalid_client", true: "invalid_grant"}[again]; !strings.Contains(poll.body, `"`+want+`"`) {
			t.Errorf("added again %v: %d %s", again, poll.status, poll.body)
		}
	}
}

func TestDevice_SwitchAccountReturnsToTheDevice(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wiki := f.addApp("Wiki", "")
	f.saveClient(wiki, openid.ClientInput{Public: true})
	ada := f.signedIn(directory.Member, "ada@example.com")
	path := ada.form("/device", "user_code", f.newDevice(wiki.ID).UserCode).header.Get("Location")
	link, _ := ada.get(path).Link("Switch account")
	if a := ada.get(link); a.Heading() != "Switch account" {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := ada.form("/signout", "next", path); a.header.Get("Location") != "/?next="+url.QueryEscape(path) {
		t.Errorf("%d, leads to %q", a.status, a.header.Get("Location"))
	}
	for _, next := range []string{"/users", "/device/../users", "//evil.example/device/x", "/device/x\\y"} {
		bob := f.signedIn(directory.Member, "bob@example.com")
		if a := bob.form("/signout", "next", next); a.header.Get("Location") != "/?signed-out" {
			t.Errorf("%q: %d, leads to %q", next, a.status, a.header.Get("Location"))
		}
	}
}
