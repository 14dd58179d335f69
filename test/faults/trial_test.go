package faults

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// hiding is what an experiment can keep from everybody about a call to Stytch;
// see the package comment.
type hiding int

const (
	nothing    hiding = iota // every call's outcome gets known
	whenKilled               // not that of calls under way when the program is killed
	anything                 // no call's for certain
)

// experiment is something that breaks while the clients are at it.
type experiment struct {
	name   string
	engine engine
	hides  hiding
	fault  func(x *trial) // begins, lasts, and is over when it returns
}

// engine makes a trial's database; it sets x.db and returns what the program is
// to be told.
type engine struct {
	name string
	open func(x *trial) (databaseURL string)
}

// trial is one experiment under way.
type trial struct {
	*testing.T
	long      bool
	instances []*instance
	client    *http.Client
	ledger    *ledger
	mails     *mails
	ada       string // the administrator's cookie
	db        *sql.DB

	server interface { // of engines that have one to kill
		Kill() error
		Start() error
	}
	network *network // between the program and its database, where there is one
	disk    *disk    // of engines that have a small one
}

// turns is how many experiments may have the machine at the same time.
const turns = 3

// run carries out an experiment and returns its row of the table. It takes a turn
// for as long as there is load; that everything calms down needs none.
func (x *trial) run(program string, e experiment, turn chan struct{}) row {
	turn <- struct{}{}
	handBack := sync.OnceFunc(func() { <-turn })
	defer handBack()

	databaseURL := e.engine.open(x)
	for range 2 {
		x.instances = append(x.instances, newInstance(x.T, program, databaseURL))
	}
	x.adaSignsIn()
	gathering, stopGathering := context.WithCancel(x.Context())
	var gatherer sync.WaitGroup
	gatherer.Go(func() { x.gather(gathering) })
	defer gatherer.Wait()
	defer stopGathering()

	loading, stopLoad := context.WithCancel(x.Context())
	all := make([]*client, clients)
	var running sync.WaitGroup
	defer running.Wait()
	defer stopLoad()
	for i := range all {
		all[i] = &client{trial: x, number: i}
		running.Go(func() { all[i].run(loading) })
	}
	x.pause(time.Second)
	e.fault(x)
	x.worksAgain()
	stopLoad()
	running.Wait()
	handBack()

	var people []*person
	for _, c := range all {
		people = append(people, c.people...)
	}
	x.settle()
	stopGathering()
	gatherer.Wait()
	x.look(x.Context()) // the last mails
	x.verify(people, e)
	return x.row(e)
}

// adaSignsIn makes the administrator: the first to come.
func (x *trial) adaSignsIn() {
	const ada = "ada@example.com"
	x.ask("", "POST", "/signin", "email="+ada)
	for begin := time.Now(); x.ada == ""; time.Sleep(20 * time.Millisecond) {
		x.look(x.Context())
		if token := x.mails.open(ada); token != "" {
			x.ada = x.ask("", "POST", "/api/authenticate_magic_link", "token="+token).cookie
		}
		if time.Since(begin) > time.Minute {
			x.Fatalf("ada can't sign in\n%s", x.instances[0].problems())
		}
	}
}

// worksAgain returns when the clients get on as before, and a moment later. It
// also waits for the first of all sign-ins: on a busy machine there may be none yet.
func (x *trial) worksAgain() {
	begin := time.Now()
	before, _ := x.ledger.soFar()
	for {
		now, signIns := x.ledger.soFar()
		if now >= before+3*clients && signIns > 0 {
			break
		}
		if time.Since(begin) > time.Minute {
			x.Errorf("a minute after the fault was over it doesn't work again\n%s", x.instances[0].problems())
			return
		}
		x.pause(50 * time.Millisecond)
	}
	x.pause(500 * time.Millisecond)
}

// any returns one of the instances.
func (x *trial) any() *instance { return x.instances[rand.IntN(len(x.instances))] }

// pause lets the load go on for a while.
func (x *trial) pause(d time.Duration) {
	select {
	case <-x.Context().Done():
	case <-time.After(d):
	}
}

// lasts is for how long or how often, in the short form and in the long one.
func lasts[T any](x *trial, short, long T) T {
	if x.long {
		return long
	}
	return short
}
