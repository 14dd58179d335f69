package userio

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

// summary formats a line: number|address|name|role|problem.
func summary(l Line) string {
	return strings.Join([]string{strconv.Itoa(l.Number), l.Entry.Email, l.Entry.Name, l.Entry.Role, l.Problem}, "|")
}

func readAll(t *testing.T, text string) (lines, unused []string, err error) {
	t.Helper()
	unused, err = Read(strings.NewReader(text), func(l Line) error {
		lines = append(lines, summary(l))
		return nil
	})
	return lines, unused, err
}

const (
	misread  = "Some characters can't be read. Save the file as CSV UTF-8."
	misquote = "A quotation mark is in the wrong place. Put the whole value in quotation marks, and double those inside."
)

func TestRead_Formats(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		want       []string
		unused     []string
	}{
		{"commas", "email,name,role\nada@example.com,Ada,admin\n", []string{"2|ada@example.com|Ada|admin|"}, nil},
		{"columns in another order and case, and empty lines", "Role, NAME ,E-Mail Address\r\n\r\nAdmin,Ada, ada@example.com \r\n,,\r\n", []string{"3|ada@example.com|Ada|admin|"}, nil},
		{"only addresses", "email\nada@example.com\ngrace@example.com", []string{"2|ada@example.com|||", "3|grace@example.com|||"}, nil},
		{"semicolons, as Excel writes them in half of Europe", "email;name\nada@example.com;\"Lovelace; Ada\"\n", []string{"2|ada@example.com|Lovelace; Ada||"}, nil},
		{"Excel's sep line", "sep=;\r\nemail;name\r\nada@example.com;a,b\r\n", []string{"3|ada@example.com|a,b||"}, nil},
		{"Excel's sep line with tabs", "sep=\t\nemail\tname\nada@example.com\tAda\n", []string{"3|ada@example.com|Ada||"}, nil},
		{"UTF-8 with a mark", "\ufeffemail,name\nada@example.com,Zoë\n", []string{"2|ada@example.com|Zoë||"}, nil},
		{"UTF-16, Excel's Unicode text", "\xff\xfee\x00m\x00a\x00i\x00l\x00\t\x00n\x00a\x00m\x00e\x00\r\x00\n\x00a\x00@\x00b\x00.\x00c\x00d\x00\t\x00\xcb\x00", []string{"2|a@b.cd|Ë||"}, nil},
		{"mysql --batch", "id\tname\temail\n1\tAda \"Countess\" Lovelace\tada@example.com\n2\tNULL\tgrace@example.com\n3\ta\\\\b\tmax@example.com\n",
			[]string{"2|ada@example.com|Ada \"Countess\" Lovelace||", "3|grace@example.com|||", "4|max@example.com|a\\b||"}, []string{"id"}},
		{"tabs with quotation marks", "email\tname\na@b.cd\t\"Ada \"\"A\"\"\"\nb@b.cd\t\"x\" and \"y\"\n", []string{"2|a@b.cd|Ada \"A\"||", "3|b@b.cd|\"x\" and \"y\"||"}, nil},
		{"a field of several lines", "notes,email\n\"a\nb\",ada@example.com\nc,grace@example.com\n", []string{"2|ada@example.com|||", "4|grace@example.com|||"}, []string{"notes"}},
		{"unused columns", "id,email,,plan\n1,ada@example.com,,gold\n", []string{"2|ada@example.com|||"}, []string{"id", "plan"}},
		{"an array of JSON", "[\n {\"email\":\"ada@example.com\",\n  \"name\":\"Ada\"},\n {\"E-mail\":\"grace@example.com\",\"role\":null,\"id\":7}\n]\n", []string{"2|ada@example.com|Ada||", "4|grace@example.com|||"}, []string{"id"}},
		{"an empty array", "[]", nil, nil},
		{"one object a line", "{\"email\":\"ada@example.com\"}\n\n{\"email\":\"grace@example.com\",\"name\":\"Grace\"}", []string{"1|ada@example.com|||", "3|grace@example.com|Grace||"}, nil},
		{"escaped formulas", "email,name\n'+a@b.cd,'=1+1\nb@b.cd,''=x\nc@b.cd,'tis\n", []string{"2|+a@b.cd|=1+1||", "3|b@b.cd|'=x||", "4|c@b.cd|'tis||"}, nil},
		{"no users", "email,name\n", nil, nil},
	} {
		lines, unused, err := readAll(t, row.text)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, lines); diff != "" {
			t.Errorf("%s: -want +got\n%s", row.name, diff)
		}
		if diff := cmp.Diff(row.unused, unused); diff != "" {
			t.Errorf("%s: unused: -want +got\n%s", row.name, diff)
		}
	}
}

func TestRead_LineProblems(t *testing.T) {
	t.Parallel()
	good := "9|ada@example.com|||"
	for _, row := range []struct{ name, text, want string }{
		{"Latin 1", "email,name\na@b.cd,J\xfcrgen\n\n\n\n\n\n\nada@example.com,", "2|a@b.cd|J\xfcrgen||" + misread},
		{"replacement characters", "email,name\na@b.cd,J\ufffdrgen\n\n\n\n\n\n\nada@example.com,", "2|a@b.cd|J\ufffdrgen||" + misread},
		{"more columns than the first line", "email,name\na@b.cd,Lovelace, Ada\n\n\n\n\n\n\nada@example.com,", "2|a@b.cd|Lovelace||This row has 3 columns, but the header has 2. Put values that contain a separator in quotation marks."},
		{"a quotation mark in the middle", "email,name\na@b.cd,5\" pipe\n\n\n\n\n\n\nada@example.com,", "2||||" + misquote},
		{"text after a quoted field", "email,name\na@b.cd,\"Bo\" Smith\n\n\n\n\n\n\nada@example.com,", "2||||" + misquote},
		{"a suspended user", "email,status\na@b.cd,Suspended\n\n\n\n\n\n\nada@example.com,active", "2|a@b.cd|||Skipped: status is “Suspended”. Only people that the file marks as active are imported."},
		{"invalid JSON", "{}\n{\"email\"\n\n\n\n\n\n\n{\"email\":\"ada@example.com\"}", "2||||This isn't a JSON object in UTF-8, or it has a duplicate member."},
		{"JSON that is not an object", "{}\n7\n\n\n\n\n\n\n{\"email\":\"ada@example.com\"}", "2||||This isn't a JSON object in UTF-8, or it has a duplicate member."},
		{"a number for a name", "{}\n{\"email\":\"a@b.cd\",\"name\":7}\n\n\n\n\n\n\n{\"email\":\"ada@example.com\"}", "2|a@b.cd|||The name must be text."},
		{"two addresses", "{}\n{\"email\":\"a@b.cd\",\"e-mail\":\"a@b.cd\"}\n\n\n\n\n\n\n{\"email\":\"ada@example.com\"}", "2|a@b.cd|||There are two members for the email."},
		{"an array with something else in it", "[{},\n7\n\n\n\n\n\n\n,{\"email\":\"ada@example.com\"}]", "2||||This isn't a JSON object in UTF-8, or it has a duplicate member."},
		{"a long line", "{}\n{\"x\":\"" + strings.Repeat("x", 3*maxRecord) + "\"}\n\n\n\n\n\n\n{\"email\":\"ada@example.com\"}", "2||||" + lineTooLong},
		{"a long line of a table", "email\tname\na@b.cd\t" + strings.Repeat("x", 3*maxRecord) + "\n\n\n\n\n\n\nada@example.com\t", "2||||" + lineTooLong},
	} {
		lines, _, err := readAll(t, row.text)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if len(lines) > 0 && lines[0] == "1||||" { // the first of a file of objects
			lines = lines[1:]
		}
		if diff := cmp.Diff([]string{row.want, good}, lines); diff != "" {
			t.Errorf("%s: -want +got\n%s", row.name, diff)
		}
	}
}

func TestRead_FileErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x\n", maxRecord)
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", "The file is empty."},
		{"only space", "\ufeff \n\r\n", "The file is empty."},
		{"an Excel file", "PK\x03\x04\x14\x00", "This looks like an Excel file. Save it as CSV and choose that file."},
		{"a picture", "\x89PNG\r\n\x1a\n\x00\x00", "This isn't a text file. Save the table as CSV (UTF-8) and choose that file."},
		{"no header", "ada@example.com,Ada\n", "Line 1: The first line must name the columns. One of them must be email; name and role are optional. Found: ada@example.com, Ada."},
		{"another header", "first,last\nAda,Lovelace\n", "Line 1: The first line must name the columns. One of them must be email; name and role are optional. Found: first, last."},
		{"a column twice", "email,name,Full Name\n", "Line 1: There are two columns for the name."},
		{"another separator", "sep=^\nemail^name\n", "Line 1: Separate columns with commas, semicolons, tabs or vertical bars."},
		{"an open quotation mark", "email,name\na@b.cd,\"Ada\nb@b.cd,Bo\n", "Line 2: A quotation mark around here is never closed, or a row is larger than 64 KB. Nothing after it can be read."},
		{"an open quotation mark in a long file", "email,name\na@b.cd,Bo\nb@b.cd,\"" + long, "Line 3: A quotation mark around here is never closed, or a row is larger than 64 KB. Nothing after it can be read."},
		{"a truncated array", "[{\"email\":\"a@b.cd\"},\n", "Line 2: This isn't valid JSON. Nothing after it can be read."},
		{"an array with a syntax error", "[{\"email\":\"a@b.cd\"},\n\n{\"email\" \"a@b.cd\"}]", "Line 3: This isn't valid JSON. Nothing after it can be read."},
		{"an array with a long member", "[\n{\"email\":\"" + strings.Repeat("x", 2*maxRecord), "Line 2: This entry is larger than 64 KB. Nothing from here on can be read."},
		{"text after an array", "[]\n7", "Line 2: There is text after the array."},
	} {
		_, _, err := readAll(t, row.text)
		var fileError *FileError
		if !errors.As(err, &fileError) || err.Error() != row.want {
			t.Errorf("%s: %v\nwant %s", row.name, err, row.want)
		}
	}
}

func TestRead_OtherErrors(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	for _, text := range []string{"email\na@b.cd\n", "email\tname\na@b.cd\t\n", "{}", "[{}]"} {
		if _, err := Read(strings.NewReader(text), func(Line) error { return mine }); err != mine {
			t.Errorf("%q: error of the callback: %v", text, err)
		}
		cut := io.MultiReader(strings.NewReader(text), failing{mine})
		if _, err := Read(cut, func(Line) error { return nil }); !errors.Is(err, mine) {
			t.Errorf("%q: error of the reader: %v", text, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"email,name\na@b.cd,\"A\nB\"\n", "email\tname\na@b.cd\tNULL\n", "[{\"email\":\"a@b.cd\"}]", "{}\n{\"email\":1}", "sep=;\nemail;x\n",
		"\"sep=|\"\rTitle\r\remail|Status [READ ONLY]\r\"a@b.cd\" | \"x\"\r", "email\tname\na@b.cd\t\"A\nB\"\n", "a@b.cd; \"B, C\" <c@b.cd>, d@b.cd\n", "\xff\xfea\x00@\x00",
		"{\"users\":[{\"emails\":[{\"email\":\"a@b.cd\"}],\"name\":{\"first_name\":\"A\"}}],\"x\":{}}", "{\"Attributes\":[{\"Name\":\"email\",\"Value\":\"a@b.cd\"}]}\n{}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		_, err := Read(strings.NewReader(text), func(l Line) error {
			if l.Number < last {
				t.Errorf("line %d comes after line %d", l.Number, last)
			}
			last = l.Number
			return nil
		})
		var fileError *FileError
		if err != nil && (!errors.As(err, &fileError) || fileError.Line < 0 || fileError.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+2) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func TestWriter_RoundTrip(t *testing.T) {
	t.Parallel()
	names := []string{"", "Ada", "=1+1", "+49 30", "-x", "@me", "'=1", "''+", "'tis", "Lovelace, Ada", "a;b", "a;=1", "a; =1", "a;'=1", "a,+1", `a;"=1"`, `say "hi"`, "＝x", "李 Zoë", "NULL", `back\slash`}
	for format := range Formats {
		var b strings.Builder
		w := NewWriter(&b, format, false)
		var want []string
		for i, name := range names {
			local := "p" + strconv.Itoa(i)
			if i == 2 {
				local = "=" + local
			}
			email, err := directory.ParseEmail(local + "@example.com")
			if err != nil {
				t.Fatal(err)
			}
			line := i + 2
			want = append(want, strconv.Itoa(line)+"|"+email.Display+"|"+name+"|member|")
			if err := w.Write(directory.User{ID: strconv.Itoa(i), Name: name, Email: email, Role: directory.Member, Status: directory.Active}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
		lines, unused, err := readAll(t, b.String())
		if diff := cmp.Diff(want, lines); diff != "" || err != nil || len(unused) != 3 {
			t.Errorf("%s: %v, %q: -want +got\n%s\n%s", format, err, unused, diff, b.String())
		}
	}
}

func TestWriter_EscapesFormulas(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	w := NewWriter(&b, "csv", false)
	for _, sign := range []string{"=", "+", "-", "@"} {
		email := directory.Email{Display: strings.Replace(sign+"a@example.com", "@a", "a", 1)}
		if err := w.Write(directory.User{ID: "1", Name: sign + `HYPERLINK("https://evil.example")`, Email: email}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	for cell := range strings.FieldsFuncSeq(b.String(), func(r rune) bool { return strings.ContainsRune(",\r\n", r) }) {
		if isFormula(strings.Trim(cell, `"`)) {
			t.Errorf("a formula: %s", cell)
		}
	}
}

func TestEscapeFormula(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"=1":           "'=1",
		"x;=1":         "x;'=1",
		"x;+1;-1":      "x;'+1;'-1",
		"x; =1":        "x; '=1",
		`x;"=1"`:       `x;"'=1"`,
		"x;'=1":        "x;''=1",
		"x,@me":        "x,'@me",
		"x|＝1":         "x|'＝1",
		"x\t=1":        "x\t'=1",
		"x;\r=1":       "x;'\r=1",
		"=a;=b":        "'=a;'=b",
		"a=1;b":        "a=1;b",
		"Lovelace; A.": "Lovelace; A.",
	} {
		if got := escapeFormula(cell); got != want || unescapeFormula(got) != cell {
			t.Errorf("%q is escaped as %q, want %q, and unescaped as %q", cell, got, want, unescapeFormula(got))
		}
	}
}

func FuzzEscapeFormula(f *testing.F) {
	for _, seed := range []string{"", "=", "'=", "''=", "x", "'", "＝", "x;=1", "x; '\"+", ";;=", "\t=;\t"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		escaped := escapeFormula(cell)
		if got := unescapeFormula(escaped); got != cell || isFormula(escaped) {
			t.Errorf("%q is escaped as %q and unescaped as %q", cell, escaped, got)
		}
		for part := range strings.FieldsFuncSeq(escaped, func(r rune) bool { return strings.ContainsRune(cellSeparators, r) }) {
			if isFormula(strings.TrimLeft(part, " \"\u00a0")) {
				t.Errorf("%q is escaped as %q, of which %q is a formula", cell, escaped, part)
			}
		}
	})
}
