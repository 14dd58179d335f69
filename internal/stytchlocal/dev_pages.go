package stytchlocal

import "net/http"

// The pages for developers.
const (
	inboxPath  = "/dev/inbox"
	faultsPath = "/dev/faults"
)

// DevPages serves what developers look at and turn, each as a page and as JSON:
//
//	/dev/inbox    the mails of the last 24 hours, at most 200, newest first
//	/dev/faults   what goes wrong on purpose, and by how much the clocks are moved
//
// A reader of the mails can sign in as anyone, so every request must show DevKey,
// and the pages must be served behind LoopbackOnly. Writes from other sites are
// refused.
func (s *Server) DevPages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+inboxPath, s.showInbox)
	mux.HandleFunc("GET "+inboxPath+".json", s.listInbox)
	mux.HandleFunc("GET "+faultsPath, s.showFaults)
	mux.HandleFunc("POST "+faultsPath, s.changeFaults)
	mux.HandleFunc("GET "+faultsPath+".json", s.getFaults)
	mux.HandleFunc("PUT "+faultsPath+".json", s.putFaults)
	return http.NewCrossOriginProtection().Handler(s.requireDevKey(mux))
}
