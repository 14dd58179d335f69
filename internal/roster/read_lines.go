package roster

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// eachLine calls fn with each line that is not empty, without its end; tooLong
// says that the text is only its beginning.
func eachLine(r *bufio.Reader, before int, fn func(number int, text string, tooLong bool) error) error {
	for number := before + 1; ; number++ {
		piece, err := r.ReadSlice('\n')
		text, tooLong := strings.TrimRight(string(piece), "\r\n"), false
		for errors.Is(err, bufio.ErrBufferFull) {
			tooLong = true
			_, err = r.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if strings.TrimSpace(text) != "" {
			if err := fn(number, text, tooLong); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

const tooLong = "This line is longer than 64 KB."

// readTabs reads a table with tabs between its columns: as `mysql --batch` writes
// it (https://dev.mysql.com/doc/refman/8.4/en/mysql-command-options.html, --raw),
// where NULL is nothing and a backslash stands twice, or as spreadsheets do, which
// put some fields in quotation marks. A person is one line in both.
func readTabs(r *bufio.Reader, before int, each func(Line) error) ([]string, error) {
	var cols *columns
	err := eachLine(r, before, func(number int, text string, long bool) error {
		cells := strings.Split(text, "\t")
		for i, cell := range cells {
			cells[i] = tabCell(cell)
		}
		if cols == nil {
			header, err := parseHeader(number, cells)
			cols = &header
			return err
		}
		if long {
			return each(Line{Number: number, Problem: tooLong})
		}
		l, ok := cols.line(number, cells)
		if !ok {
			return nil
		}
		return each(l)
	})
	if err != nil || cols == nil {
		return nil, err
	}
	return cols.unused, nil
}

func tabCell(cell string) string {
	if len(cell) >= 2 && cell[0] == '"' && cell[len(cell)-1] == '"' {
		within := cell[1 : len(cell)-1]
		if single := strings.ReplaceAll(within, `""`, ""); !strings.Contains(single, `"`) {
			return unguard(strings.ReplaceAll(within, `""`, `"`))
		}
	}
	if cell == "NULL" {
		return ""
	}
	return unguard(strings.ReplaceAll(cell, `\\`, `\`))
}
