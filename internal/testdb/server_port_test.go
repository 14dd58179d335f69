package testdb

import (
	"errors"
	"net"
	"os"
	"testing"
)

// Another program may take a free port before the server listens on it.
func TestServer_PortInUse(t *testing.T) {
	t.Parallel()
	programs, err := findPrograms()
	if err != nil {
		missing(t, err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir, err := os.MkdirTemp(ramDisk(), "guestlist-port-")
	if err != nil {
		t.Fatal(err)
	}
	s := server{dir: dir, addr: taken.Addr().String()}
	if err := s.start(programs); !errors.Is(err, errPortTaken) {
		t.Fatalf("on a port that is taken: %v", err)
	}
	k := Killable{server: s}
	if err := k.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := k.server.startAnywhere(programs); err != nil {
		t.Fatal(err)
	}
	k.server.pipe.Close()
	<-k.server.ended
	os.RemoveAll(dir)
}
