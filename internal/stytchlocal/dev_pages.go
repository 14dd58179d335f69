package stytchlocal

import "net/http"

// inboxPath is the path of the inbox; its JSON is at inboxPath + ".json".
const inboxPath = "/dev/inbox"

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
	s.faults.Register(mux)
	return http.NewCrossOriginProtection().Handler(s.requireDevKey(mux))
}
