package userio

import "golang.org/x/text/transform"

// quoteTrimmer removes spaces between a closing quotation mark and the separator, which
// encoding/csv doesn't accept.
type quoteTrimmer struct {
	separator byte
	state     quoteState
	spaces    int // not written yet, in state closed
}

type quoteState int

const (
	fieldStart quoteState = iota // a quotation mark opens a quoted field
	inBare
	inQuotes
	closed // after a quotation mark that closes the field unless another one follows
)

func (q *quoteTrimmer) Reset() { q.state, q.spaces = fieldStart, 0 }

func (q *quoteTrimmer) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for _, b := range src {
		if q.state == closed && b == ' ' {
			q.spaces++
			nSrc++
			continue
		}
		ends := b == q.separator || b == '\n'
		if ends {
			q.spaces = 0
		}
		if q.spaces > 0 {
			q.state = inBare
		}
		for ; q.spaces > 0 && nDst < len(dst); q.spaces-- {
			dst[nDst] = ' '
			nDst++
		}
		if nDst == len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		dst[nDst] = b
		nDst++
		nSrc++
		q.advance(b, ends)
	}
	return nDst, nSrc, nil
}

func (q *quoteTrimmer) advance(b byte, ends bool) {
	switch {
	case q.state == inQuotes:
		if b == '"' {
			q.state = closed
		}
	case q.state == closed && b == '"':
		q.state = inQuotes
	case ends:
		q.state = fieldStart
	case q.state == fieldStart && b == '"':
		q.state = inQuotes
	case q.state == fieldStart && (b == ' ' || b == '\t'):
	default:
		q.state = inBare
	}
}
