package userio

import "golang.org/x/text/transform"

// blanksBehindQuotes takes out the blanks between the end of a field in quotation
// marks and the separator behind it, which encoding/csv does not read.
type blanksBehindQuotes struct {
	separator byte
	state     quoteState
	blanks    int // not written yet, in state closed
}

type quoteState int

const (
	fieldBegin quoteState = iota // a quotation mark opens a field
	inBare
	inQuotes
	closed // behind a quotation mark that closes the field, unless another follows
)

func (q *blanksBehindQuotes) Reset() { q.state, q.blanks = fieldBegin, 0 }

func (q *blanksBehindQuotes) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for _, b := range src {
		if q.state == closed && b == ' ' {
			q.blanks++
			nSrc++
			continue
		}
		ends := b == q.separator || b == '\n'
		if ends {
			q.blanks = 0
		}
		for ; q.blanks > 0; q.blanks-- {
			if nDst == len(dst) {
				return nDst, nSrc, transform.ErrShortDst
			}
			dst[nDst] = ' '
			nDst++
			q.state = inBare
		}
		if nDst == len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		dst[nDst] = b
		nDst++
		nSrc++
		q.next(b, ends)
	}
	return nDst, nSrc, nil
}

func (q *blanksBehindQuotes) next(b byte, ends bool) {
	switch {
	case q.state == inQuotes:
		if b == '"' {
			q.state = closed
		}
	case q.state == closed && b == '"':
		q.state = inQuotes
	case ends:
		q.state = fieldBegin
	case q.state == fieldBegin && b == '"':
		q.state = inQuotes
	case q.state == fieldBegin && (b == ' ' || b == '\t'):
	default:
		q.state = inBare
	}
}
