package faults

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hiding says which calls to Stytch may have an unknown outcome in an experiment; see the package
// comment.
type hiding int

const (
	hidesNothing     hiding = iota
	hidesKilledCalls        // calls in progress when the program is killed
	hidesAnyCall
)

// experiment is a fault under load.
type experiment struct {
	name   string
	engine engine
	hides  hiding
	fault  func(x *trial) // returns when the fault is over
}

// trial is a running experiment.
type trial struct {
	*testing.T
	long        bool // whether to use long durations
	instances   []*instance
	client      *http.Client
	ledger      *ledger
	inbox       *inbox
	adminCookie string
	groupID     string // of the group that opens the app
	appID       string
	clocksStep  atomic.Bool // whether the experiment steps clocks, so that a membership may end at another time
	db          *sql.DB

	server interface { // nil if the engine has no server to kill
		Kill() error
		Start() error
	}
	network *network // nil if the program is connected to its database directly
	disk    *disk    // nil if the engine doesn't use a small disk
}

// maxParallel is the number of experiments under load at the same time.
const maxParallel = 3

// run runs an experiment and returns its row of the table. It holds one of the slots while there is
// load.
func (x *trial) run(program string, e experiment, slots chan struct{}) row {
	slots <- struct{}{}
	release := sync.OnceFunc(func() { <-slots })
	defer release()

	databaseURL := e.engine.open(x)
	for range 2 {
		x.instances = append(x.instances, newInstance(x.T, program, databaseURL))
	}
	x.signInAdmin()
	x.createApp()
	x.createClient()
	polling, stopPolling := context.WithCancel(x.Context())
	var poller sync.WaitGroup
	poller.Go(func() { x.pollInbox(polling) })
	defer poller.Wait()
	defer stopPolling()

	loading, stopLoad := context.WithCancel(x.Context())
	clients := make([]*client, maxClients)
	var running sync.WaitGroup
	defer running.Wait()
	defer stopLoad()
	for i := range clients {
		clients[i] = &client{trial: x, number: i}
		running.Go(func() { clients[i].run(loading) })
	}
	x.pause(time.Second)
	e.fault(x)
	x.awaitRecovery()
	stopLoad()
	running.Wait()
	for _, c := range clients {
		c.leaveAll()
	}
	release()

	var users []*user
	for _, c := range clients {
		users = append(users, c.users...)
	}
	x.awaitAgreement()
	stopPolling()
	poller.Wait()
	x.readInbox(x.Context()) // the last emails
	x.verify(users, e)
	return x.row(e)
}

// signInAdmin signs in as the first person, who becomes the administrator.
func (x *trial) signInAdmin() {
	const email = "ada@example.com"
	x.do("", "POST", "/signin", "email="+email)
	for begin := time.Now(); x.adminCookie == ""; time.Sleep(20 * time.Millisecond) {
		x.readInbox(x.Context())
		if token := x.inbox.takeToken(email); token != "" {
			x.adminCookie = x.do("", "POST", "/api/authenticate_magic_link", "token="+token).cookie
		}
		if time.Since(begin) > time.Minute {
			x.Fatalf("the administrator can't sign in\n%s", x.instances[0].recentErrors())
		}
	}
}

// awaitRecovery waits until the clients' requests succeed again, and a moment longer. It also waits
// for the first sign-in and use of the app, which may be late on a busy machine.
func (x *trial) awaitRecovery() {
	begin := time.Now()
	before, _, _, _ := x.ledger.progress()
	for {
		now, signIns, opened, claimed := x.ledger.progress()
		if now >= before+3*maxClients && signIns > 0 && opened > 0 && claimed > 0 {
			break
		}
		if time.Since(begin) > time.Minute {
			x.Errorf("no recovery a minute after the fault\n%s", x.instances[0].recentErrors())
			return
		}
		x.pause(50 * time.Millisecond)
	}
	x.pause(500 * time.Millisecond)
}

// anyInstance returns one of the instances at random.
func (x *trial) anyInstance() *instance { return x.instances[rand.IntN(len(x.instances))] }

// pause waits, or returns early when the test ends.
func (x *trial) pause(d time.Duration) {
	select {
	case <-x.Context().Done():
	case <-time.After(d):
	}
}

// choose returns one of two values, depending on the length of the trial.
func choose[T any](x *trial, short, long T) T {
	if x.long {
		return long
	}
	return short
}
