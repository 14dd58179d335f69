package userio

import (
	"bufio"
	"errors"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decodeText decodes a file to UTF-8 with LF line endings. Files are UTF-8, or UTF-16 if they
// have a byte order mark or look like it.
func decodeText(file io.Reader) (io.Reader, error) {
	raw := bufio.NewReader(file)
	start, err := raw.Peek(raw.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var fallback transform.Transformer = transform.Nop
	if utf16 := unmarkedUTF16(start); utf16 != nil {
		fallback = utf16.NewDecoder()
	}
	return transform.NewReader(raw, transform.Chain(unicode.BOMOverride(fallback), &lineEnds{})), nil
}

// unmarkedUTF16 recognizes UTF-16 without a byte order mark by its zero bytes, every other
// byte in mostly ASCII text. It returns nil for anything else.
func unmarkedUTF16(start []byte) encoding.Encoding {
	var zeros [2]int
	for i, b := range start {
		if b == 0 {
			zeros[i%2]++
		}
	}
	enough := len(start) / 4
	switch {
	case zeros[1] > enough && zeros[0] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case zeros[0] > enough && zeros[1] == 0:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	return nil
}

// lineEnds replaces CRLF and CR by LF, so that lines are counted as editors do.
type lineEnds struct {
	afterCR bool
}

func (l *lineEnds) Reset() { l.afterCR = false }

func (l *lineEnds) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for _, b := range src {
		if b == '\n' && l.afterCR {
			l.afterCR = false
			nSrc++
			continue
		}
		if nDst == len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		l.afterCR = b == '\r'
		if b == '\r' {
			b = '\n'
		}
		dst[nDst] = b
		nDst++
		nSrc++
	}
	return nDst, nSrc, nil
}
