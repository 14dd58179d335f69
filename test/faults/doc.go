// Package faults tests the program under faults: two instances with one database, in local mode,
// under load from eight clients. `make faults` runs the long form, `go test ./...` a short one, and
// `go test -short` none.
//
// # The ledger
//
// Each client has users of its own and makes one request about them at a time. It records the outcome
// of each request:
//
//   - unsent: no connection was made, so the request had no effect;
//   - acknowledged: 2xx or 3xx;
//   - refused: 4xx;
//   - unknown: sent, with no response, an incomplete one, or 5xx. The request may or may not have had
//     an effect.
//
// After the fault, when the outbox is empty, the suite compares the ledger with the database, the
// emails and the responses. The columns of the table:
//
//   - lost: an acknowledged effect that is missing: a user, a name, a removal, a session that wasn't
//     ended. Also a request that the program accepted and left unanswered when it stopped, a job
//     that stays in the outbox, and any difference between the directory and the local Stytch: a user
//     whom it doesn't know under the recorded id, a user who isn't in the directory, a session that
//     has ended here and not there.
//   - doubled: a user who exists twice, a new address refused as existing, and an email too many; a code
//     of OpenID Connect that was redeemed more than once.
//   - let in wrongly: a successful session check that was sent after the end of the session or the
//     user's removal was acknowledged; a removed user who signs in with a link; a session that belongs
//     to another user. The same for a protected app, by the built-in proxy and for another proxy: a
//     request that the app answers after the end of the session, the suspension or removal of the
//     user, or the end of their membership in the group that opens the app was acknowledged; and for
//     OpenID Connect: a code, tokens or claims that are issued after that, or after the refusal of a code
//     that was used before.
//   - longest stall: the duration of the slowest request, whatever its response.
//
// # Emails
//
// The program calls Stytch for an invitation at least once (docs/decisions/0003): a call with an
// unknown outcome is repeated. So whether an email is too many depends on which outcomes an experiment
// can hide. An address has one too many if it got more emails than there were requests that may have
// had an effect, with these exceptions:
//
//   - Emails aren't counted if the experiment interrupts or slows the database (the local Stytch uses
//     it, and calls time out after five seconds), spoils responses of Stytch to calls that took
//     effect, or moves a clock by more than a lease of the outbox, so that a call in progress looks
//     abandoned. Any call may have an unknown outcome then.
//   - If the experiment kills the program, an address isn't counted if one of its requests may have
//     been interrupted between the call and its record: a request with an unknown outcome, an
//     invitation answered as not sent yet (202), or a sign-in request of a user whom Stytch didn't
//     know, whom the outbox invites.
package faults
