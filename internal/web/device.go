package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/session"
)

// authorizeDevice answers a device that wants to sign in.
func (s *server) authorizeDevice(w http.ResponseWriter, r *http.Request, form url.Values, credentials openid.ClientCredentials) error {
	answer, err := s.opts.OpenID.AuthorizeDevice(r.Context(), form, credentials, s.browser(r))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// devicePage asks for the code that a device shows.
type devicePage struct {
	layoutData
	Code  string // as typed, or of the link that the device shows
	Asked bool   // the code is of a link
	Error string
}

func (s *server) showDevice(w http.ResponseWriter, r *http.Request) error {
	typed, _ := s.draft(w, r)
	view := devicePage{Code: typed.Get("user_code")}
	if code := r.URL.Query().Get("user_code"); code != "" && view.Code == "" {
		view.Code, view.Asked = code, true
	}
	return s.devicePage(w, r, http.StatusOK, view)
}

func (s *server) devicePage(w http.ResponseWriter, r *http.Request, status int, view devicePage) error {
	view.layoutData = s.sectionLayout(w, r, "Sign in on a device", "")
	return s.render(w, r, status, "device", view)
}

// findDevice leads from a code to the page that decides about its device.
func (s *server) findDevice(w http.ResponseWriter, r *http.Request, form url.Values) error {
	view := devicePage{Code: form.Get("user_code")}
	refuse := func(status int, text string) error {
		view.Error = text
		return s.devicePage(w, r, status, view)
	}
	id, err := s.opts.OpenID.FindDevice(r.Context(), *viewer(r), view.Code, s.browser(r))
	limited := (*session.RateLimitError)(nil)
	switch {
	case err == nil:
		return s.redirect(w, r, devicePath(id))
	case errors.Is(err, openid.ErrUserCodeFormat):
		return refuse(http.StatusUnprocessableEntity, "Enter the eight letters that your device shows, such as WDJB-MJHT.")
	case errors.Is(err, openid.ErrUserCode):
		return refuse(http.StatusUnprocessableEntity, "This code isn’t right, or it no longer works. Check it, or get a new one on your device.")
	case errors.As(err, &limited):
		setRetryAfter(w, limited.After)
		return refuse(http.StatusTooManyRequests, "Too many tries. Try again in "+waitText(limited.After)+".")
	}
	return err
}

// deviceSignInPage asks whether to sign a device in, and says afterwards what was decided.
type deviceSignInPage struct {
	layoutData
	Device  openid.DeviceSignIn
	Path    string
	Allowed bool
	Denied  bool
	Switch  string // path of the page that signs the viewer out, to go on with another account
}

func (s *server) showDeviceSignIn(w http.ResponseWriter, r *http.Request) error {
	d, err := s.opts.OpenID.GetDevice(r.Context(), *viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	path := devicePath(d.Hash)
	view := deviceSignInPage{Device: d, Path: path, Switch: "/signout?" + url.Values{"next": {path}}.Encode()}
	title := "Sign in to " + d.App.Name + " on a device?"
	switch {
	case d.State == openid.DeviceAllowed:
		view.Allowed, title = true, "Device allowed"
	case d.State == openid.DeviceDenied:
		view.Denied, title = true, "Sign-in cancelled"
	case d.Decision != apps.Allowed:
		return s.showRefused(w, r, d.App, d.Decision, path)
	}
	view.layoutData = s.layout(r, title)
	return s.render(w, r, http.StatusOK, "device_signin", view)
}

func (s *server) allowDevice(w http.ResponseWriter, r *http.Request) error {
	d, err := s.opts.OpenID.AllowDevice(r.Context(), originOf(r), *viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.redirect(w, r, devicePath(d.Hash)) // which says if the viewer may not open the app
}

func (s *server) denyDevice(w http.ResponseWriter, r *http.Request) error {
	d, err := s.opts.OpenID.DenyDevice(r.Context(), originOf(r), *viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.redirect(w, r, devicePath(d.Hash))
}

// deviceSection begins the paths of the pages that decide about devices.
const deviceSection = openid.VerificationPath + "/"

func devicePath(id string) string { return deviceSection + id }

// isDevicePath reports whether a return path leads to the sign-in of a device.
func (s *server) isDevicePath(next string) bool {
	return strings.HasPrefix(next, deviceSection) && s.returnPath(next) == next
}
