package openid

import (
	"compress/flate"
	"io"
	"strconv"
	"strings"
	"time"
)

// Encode returns the request as a text, for Provider.DecodeRequest: its fields one after the other, each
// after its length. It adds few bytes, because the text has to fit into a cookie, and a long one is
// compressed: the longest state, in base64, becomes a quarter shorter.
func (r Request) Encode() string {
	text := r.join()
	if len(text) <= maxRequest {
		return plainRequest + text
	}
	return compressedRequest + compress(text)
}

// What an encoded request begins with.
const (
	plainRequest      = "p"
	compressedRequest = "c"
)

func compress(text string) string {
	var b strings.Builder
	w, _ := flate.NewWriter(&b, flate.BestCompression) // the level is valid
	_, _ = io.WriteString(w, text)                     // a Builder returns no errors
	_ = w.Close()
	return b.String()
}

// decompress returns the text that was given to compress. ok is false if there is none, or one that no
// request can have.
func decompress(compressed string) (text string, ok bool) {
	const limit = 16 << 10
	from := strings.NewReader(compressed)
	b, err := io.ReadAll(io.LimitReader(flate.NewReader(from), limit))
	return string(b), err == nil && len(b) < limit && from.Len() == 0
}

func (r Request) join() string {
	flag := func(b bool) string {
		if b {
			return "1"
		}
		return ""
	}
	var b strings.Builder
	for _, field := range [encodedFields]string{
		r.ClientID, r.RedirectURI, string(r.Scope), r.State, r.Nonce, r.CodeChallenge, flag(r.SignInAgain), flag(r.ChooseAccount),
		strconv.Itoa(r.MaxAge), r.Subject, r.LoginHint, strconv.FormatInt(r.StartedAt.UnixMicro(), 10),
	} {
		b.WriteString(strconv.Itoa(len(field)))
		b.WriteByte(':')
		b.WriteString(field)
	}
	return b.String()
}

const encodedFields = 12

// decodeFields returns the fields of join. ok is false for another text.
func decodeFields(text string) (fields [encodedFields]string, ok bool) {
	for i := range fields {
		length, rest, found := strings.Cut(text, ":")
		n, err := strconv.ParseUint(length, 10, 16)
		if !found || err != nil || int(n) > len(rest) {
			return fields, false
		}
		fields[i], text = rest[:n], rest[n:]
	}
	return fields, text == ""
}

// resumeFor is how long a request can be resumed after it was made: links in emails work for less.
const resumeFor = 24 * time.Hour

// ErrRequestExpired reports a request that is too old to be resumed.
var ErrRequestExpired = newError("expired", "The request to sign in has expired.")

// DecodeRequest returns a request from Encode that was kept by the user's browser, which can
// neither read nor change it. Error: ErrRequestExpired.
func (p *Provider) DecodeRequest(text string) (Request, error) {
	text, ok := strings.CutPrefix(text, plainRequest)
	if compressed, found := strings.CutPrefix(text, compressedRequest); !ok && found {
		text, ok = decompress(compressed)
	}
	f, complete := decodeFields(text)
	if !ok || !complete {
		return Request{}, ErrRequestExpired
	}
	micros, errStarted := strconv.ParseInt(f[11], 10, 64)
	maxAge, errMaxAge := strconv.Atoi(f[8])
	started := time.UnixMicro(micros).UTC()
	if errStarted != nil || errMaxAge != nil || p.now().Sub(started) > resumeFor {
		return Request{}, ErrRequestExpired
	}
	return Request{
		ClientID: f[0], RedirectURI: f[1], Scope: Scope(f[2]), State: f[3], Nonce: f[4], CodeChallenge: f[5], SignInAgain: f[6] != "", ChooseAccount: f[7] != "",
		MaxAge: maxAge, Subject: f[9], LoginHint: f[10], StartedAt: started,
	}, nil
}
