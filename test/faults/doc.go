// Package faults holds no code, only the fault suite: two instances of the
// program as it is shipped on one database, in local mode, under a steady load
// from eight clients, while things break. `make faults` runs the long form;
// `go test ./...` a short one, and `go test -short` none.
//
// # The ledger
//
// Every client has people of its own and makes one request about them at a time.
// It notes what each request came to:
//
//   - unsent: no connection was made, so nothing can have happened;
//   - acknowledged: 2xx or 3xx, as the route says;
//   - refused: 4xx;
//   - unknown: sent, and then no answer, half of one, or 5xx. It may have
//     happened or not; either is right.
//
// When the faults are over and the outbox is empty, the ledger is held against
// the database, the mails and the answers. The columns of the table:
//
//   - lost: something acknowledged that is not there: a person, a name, a
//     removal, a session nobody ended. Also a request that the program took on
//     and left without an answer while it stopped, a job that stays in the
//     outbox, and any difference between the list and the local Stytch: somebody
//     on the list whom it doesn't know under the id that is noted here, somebody
//     it has who is not on the list, a session ended here that lives on there.
//   - doubled: a person who is there twice, a new address refused as being on the
//     list already, and a mail too many.
//   - let in wrongly: an answer 200 about a session to a request begun after its
//     end or its person's removal was acknowledged; a removed person whom a link
//     still signs in; somebody taken for somebody else.
//   - longest stall: how long the slowest request took, whatever its answer.
//
// # Mails
//
// Stytch hears of an invitation at least once (docs/decisions/0003): where
// nobody can know whether a call took effect, it is made again. So what is a mail
// too many depends on what the experiment can hide. An address has one when it
// was sent more mails than there were requests for one (that may have had an
// effect), unless
//
//   - the experiment cuts the program off from its database or slows it down (the
//     local Stytch has the same one, and is given up after five seconds), spoils
//     answers of Stytch's that stand for something done, or moves a clock by more
//     than a lease of the outbox lasts, so that a call under way looks abandoned:
//     every call may have been made without anybody knowing, and mails are not
//     counted;
//   - the experiment kills the program, and one request of the address could be
//     cut off between the call and its note: it has no known outcome, its
//     invitation was answered "not sent yet" (202), or it asked for a link for
//     somebody Stytch had not heard of, who is invited by the outbox.
package faults
