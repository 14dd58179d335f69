// Package peers runs Guestlist behind real proxies, with the configurations shown in
// docs/protect-a-tool.md, and checks that each lets the same requests through to an app and refuses
// the same. nginx and the built-in proxy run in every test run; `make peers` runs the others too.
package peers
