package probe

import "github.com/guestlist/guestlist/internal/apps"

// Message returns what a finding means for an app and what to do next, in plain words.
func (f Finding) Message(a apps.App) string {
	const noRequest = "No request has arrived: "
	const again = " Then test again."
	switch f {
	case Reached:
		return "Requests reach Guestlist. " + a.URL() + " asks people to sign in."
	case NoAddress:
		return noRequest + "this server can’t find " + a.Host + ". Add a DNS record for it that points to your proxy." + again
	case Forbidden:
		return noRequest + a.Host + " has an address that no app can have. Correct its DNS record." + again
	case Refused:
		return noRequest + "nothing answers at " + a.URL() + ". Start your proxy, or correct the DNS record." + again
	case TimedOut:
		return noRequest + a.URL() + " didn’t answer in time. Check the DNS record, the firewall and that your proxy is running." + again
	case Certificate:
		return noRequest + a.URL() + " has no certificate that this server trusts. Give your proxy one for this name." + again
	case NotHTTPS:
		return noRequest + "the server at " + a.Host + " doesn’t use HTTPS. Turn it on in your proxy, or write the app’s address with http://." + again
	case Redirected:
		return noRequest + a.URL() + " redirects to another address. Check that the app’s address is the one people see in their browser." + again
	case HostLost:
		return "Requests reach Guestlist, but not as requests for " + a.Host + ". Let your proxy pass on the Host header as it came." + again
	case BadRequest:
		return "The request was refused as incomplete. Compare your proxy’s configuration with the one below." + again
	case ProxyFailed:
		return "Your proxy answers with an error. Check that it can reach Guestlist at the address in its configuration, and that the app runs." + again
	case NotAllowed:
		return "Access was refused without a chance to sign in. If your proxy runs on another machine or in a container, add its address to GUESTLIST_TRUSTED_PROXIES." + again
	case NotGuestlist:
		return "Something answers at " + a.URL() + " without asking Guestlist, so the app may be open to anyone. Add the configuration below to your proxy and reload it." + again
	}
	return noRequest + "this server couldn’t connect to " + a.URL() + ". Check its DNS record and your proxy." + again
}
