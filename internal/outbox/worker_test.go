package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/outbox"
)

func TestWorker_MakesCallsOfEachKind(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.invite("ada")
		f.add(outbox.RevokeInvite, "bob")
		f.add(outbox.DeleteUser, "cyd")
		f.add(outbox.RevokeSession, "dan")
		f.start(f.worker())
		time.Sleep(time.Second)

		made := f.stytch.made()
		slices.Sort(made)
		if diff := cmp.Diff([]string{"delete_user cyd", "invite ada", "revoke_invite bob", "revoke_session dan"}, made); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		for _, name := range []string{"ada", "bob", "cyd", "dan"} {
			if jobs := f.pending(name); len(jobs) != 0 {
				t.Errorf("%s: still pending: %+v", name, jobs)
			}
		}
	})
}

func TestWorker_RecordsSentInvitation(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		want := f.invite("ada")
		f.start(f.worker())
		time.Sleep(time.Second)
		got, err := f.db.GetUser(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		want.StytchUserID, want.InviteSentAt = "stytch-ada", f.stytch.start.UTC()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("user (-want +got):\n%s", diff)
		}
	})
}

func TestWorker_RunsJobsOfOneUserInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = func(_ context.Context, what string, n int) error {
			time.Sleep(300 * time.Millisecond) // so that calls for different users overlap
			if what == "revoke_invite ada" && n < 3 {
				return errDown
			}
			return nil
		}
		kinds := []outbox.Kind{outbox.RevokeSession, outbox.RevokeInvite, outbox.DeleteUser}
		for _, kind := range kinds {
			f.add(kind, "ada")
			f.add(kind, "bob")
		}
		f.start(f.worker())
		f.start(f.worker())
		time.Sleep(time.Minute)

		of := func(name string) []string {
			return slices.DeleteFunc(f.stytch.made(), func(what string) bool { return !strings.HasSuffix(what, name) })
		}
		want := []string{"revoke_session ada", "revoke_invite ada", "revoke_invite ada", "revoke_invite ada", "delete_user ada"}
		if diff := cmp.Diff(want, of("ada")); diff != "" {
			t.Errorf("ada, whose second call fails twice (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"revoke_session bob", "revoke_invite bob", "delete_user bob"}, of("bob")); diff != "" {
			t.Errorf("bob (-want +got):\n%s", diff)
		}
		if ada, bob := f.stytch.times("revoke_invite ada")[1], f.stytch.times("delete_user bob")[0]; bob > ada {
			t.Errorf("bob is done after %v, ada was retried after %v: her failure delays him", bob, ada)
		}
	})
}

func TestWorker_RetriesWithBackoff(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = failing(errDown)
		job := f.add(outbox.RevokeInvite, "ada")
		f.start(f.worker())
		time.Sleep(time.Hour)

		times := f.stytch.times("revoke_invite ada")
		if len(times) < 12 {
			t.Fatalf("tried %d times in an hour: %v", len(times), times)
		}
		longest := 2 * time.Second
		for i := range len(times) - 1 {
			// Less up to a third at random, plus up to five seconds until the next poll.
			if got := times[i+1] - times[i]; got < longest*2/3 || got > longest+5*time.Second+time.Millisecond {
				t.Errorf("pause %d is %v, want about %v", i+1, got, longest)
			}
			longest = min(2*longest, 10*time.Minute)
		}
		jobs := f.pending("ada")
		if len(jobs) != 1 || jobs[0].ID != job.ID || !jobs[0].ParkedAt.IsZero() {
			t.Fatalf("left over: %+v", jobs)
		}
		if jobs[0].Attempts != len(times) || jobs[0].LastError != "The login service could not be reached." {
			t.Errorf("after %d attempts: Attempts is %d, LastError %q", len(times), jobs[0].Attempts, jobs[0].LastError)
		}
	})
}

func TestWorker_PanickingCallIsRetriedAndDelaysNoOther(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = func(_ context.Context, what string, n int) error {
			if strings.HasPrefix(what, "revoke_invite eve") || what == "revoke_invite ada" && n < 3 {
				panic("simulated bug")
			}
			return nil
		}
		for i := range 8 { // twice as many as there are workers
			f.add(outbox.RevokeInvite, fmt.Sprint("eve", i))
		}
		f.add(outbox.RevokeInvite, "ada")
		f.add(outbox.DeleteUser, "bob")
		w := f.worker()
		w.Deliver(t.Context(), address("eve0")) // returns
		f.start(w)
		time.Sleep(time.Minute)

		if bob := f.stytch.times("delete_user bob"); len(bob) != 1 || bob[0] > 5*time.Second {
			t.Errorf("bob is done after %v", bob)
		}
		if ada := f.stytch.times("revoke_invite ada"); len(ada) != 3 || len(f.pending("ada")) != 0 {
			t.Errorf("ada is tried after %v; pending: %+v", ada, f.pending("ada"))
		}
		time.Sleep(time.Hour)
		jobs := f.pending("eve0")
		if len(jobs) != 1 || jobs[0].Attempts < 5 || jobs[0].Attempts > 20 || !strings.Contains(jobs[0].LastError, "its log says how") {
			t.Errorf("eve0: pending: %+v", jobs)
		}
	})
}

func TestWorker_ParksRefusedCall(t *testing.T) {
	tests := []struct {
		name string
		kind outbox.Kind
		err  error
		want string
	}{
		{"with Stytch's reason", outbox.RevokeInvite, fmt.Errorf("stytch: %w", refusal{}), "The login service answered 400 invalid_email."},
		{"without a reason", outbox.RevokeInvite, outbox.ErrRefused, "The login service could not be reached."},
		{"with a kind of a newer release", "rename_user", nil, "The login service could not be reached."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				fail := failing(test.err)
				f.stytch.answer = func(ctx context.Context, what string, n int) error {
					if what == "delete_user ada" {
						return nil
					}
					return fail(ctx, what, n)
				}
				parked := f.add(test.kind, "ada")
				f.add(outbox.DeleteUser, "ada")
				f.start(f.worker())
				time.Sleep(time.Hour)

				if n := len(f.stytch.times("revoke_invite ada")); n > 1 {
					t.Errorf("tried %d times", n)
				}
				jobs := f.pending("ada")
				if len(jobs) != 1 || jobs[0].ID != parked.ID {
					t.Fatalf("left over: %+v, want only the refused one", jobs)
				}
				if jobs[0].ParkedAt.IsZero() || jobs[0].LastError != test.want {
					t.Errorf("parked at %v for %q, want %q", jobs[0].ParkedAt, jobs[0].LastError, test.want)
				}
			})
		})
	}
}

// A mail server that confirms too late must not cause many emails.
func TestWorker_ParksUnconfirmedInvitation(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = failing(fmt.Errorf("stytch: %w", outbox.ErrUnconfirmed))
		f.invite("ada")
		f.start(f.worker())
		time.Sleep(24 * time.Hour)
		if n := len(f.stytch.times("invite ada")); n != 3 {
			t.Errorf("mailed %d times", n)
		}
		if jobs := f.pending("ada"); len(jobs) != 1 || jobs[0].ParkedAt.IsZero() {
			t.Errorf("left over: %+v, want the invitation, parked", jobs)
		}
	})
}

// refusal is an error of Stytch like those of package stytch.
type refusal struct{}

func (refusal) Error() string        { return "400 invalid_email ada@example.com" }
func (refusal) Reason() string       { return "The login service answered 400 invalid_email." }
func (refusal) Is(target error) bool { return target == outbox.ErrRefused }

func TestReason(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"uses the error's Reason", refusal{}, "The login service answered 400 invalid_email."},
		{"uses the Reason of a wrapped error", fmt.Errorf("a: %w", errors.Join(errDown, refusal{})), "The login service answered 400 invalid_email."},
		{"recognizes a deadline", fmt.Errorf("a: %w", context.DeadlineExceeded), "The login service did not answer in time."},
		{"reveals nothing else", errors.New("dial 10.0.0.1: secret-live-1"), "The login service could not be reached."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := outbox.Reason(test.err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
