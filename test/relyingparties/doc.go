// Package relyingparties has people sign in with Guestlist to real tools that speak OpenID Connect, and
// checks that each lets them in, refreshes, refuses them once they are removed, and signs them out.
// docs/internals/relying-parties.md lists the tools. Those that are libraries run in every test run;
// `make peers` runs the others too.
package relyingparties
