package userio

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"
)

func utf16(t *testing.T, endian unicode.Endianness, mark unicode.BOMPolicy, text string) string {
	t.Helper()
	encoded, err := unicode.UTF16(endian, mark).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestRead_Tables(t *testing.T) {
	t.Parallel()
	const table = "email;name\r\ngrace@example.com;Grace Hopper\r\nalan@example.com;Alan Turing\r\n"
	people := []string{"2|grace@example.com|Grace Hopper||", "3|alan@example.com|Alan Turing||"}
	below := []string{"3|grace@example.com|Grace Hopper||", "4|alan@example.com|Alan Turing||"}
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"CRLF", table, people},
		{"LF", strings.ReplaceAll(table, "\r", ""), people},
		{"CR", strings.ReplaceAll(table, "\n", ""), people},
		{"mixed line ends", "email;name\rgrace@example.com;Grace Hopper\nalan@example.com;Alan Turing\r\n", people},
		{"no end of the last line", strings.TrimSpace(table), people},
		{"commas", strings.ReplaceAll(table, ";", ","), people},
		{"tabs", strings.ReplaceAll(table, ";", "\t"), people},
		{"vertical bars", strings.ReplaceAll(table, ";", "|"), people},
		{"UTF-8 with a mark", "\ufeff" + table, people},
		{"UTF-16 LE with a mark", utf16(t, unicode.LittleEndian, unicode.UseBOM, table), people},
		{"UTF-16 BE with a mark", utf16(t, unicode.BigEndian, unicode.UseBOM, table), people},
		{"UTF-16 LE without a mark", utf16(t, unicode.LittleEndian, unicode.IgnoreBOM, table), people},
		{"UTF-16 BE without a mark", utf16(t, unicode.BigEndian, unicode.IgnoreBOM, table), people},
		{"UTF-16 with CR", utf16(t, unicode.LittleEndian, unicode.UseBOM, strings.ReplaceAll(table, "\n", "")), people},
		{"sep", "sep=;\r\n" + table, below},
		{"sep in quotes", "\"sep=;\"\r\n" + table, below},
		{"SEP", "SEP=;\n" + table, below},
		{"sep with a mark", "\ufeffsep=;\r\n" + table, below},
		{"sep with CR", strings.ReplaceAll("sep=;\r\n"+table, "\n", ""), below},
		{"sep of vertical bars", "sep=|\n" + strings.ReplaceAll(table, ";", "|"), below},
		{"a blank first line", "\r\n" + table, below},
		{"a first line of separators", ";;;\r\n" + table, below},
		{"titles", "Members of the club\r\nAs of;30 November 2026\r\n\r\n" + table, []string{"5|grace@example.com|Grace Hopper||", "6|alan@example.com|Alan Turing||"}},
		{"a title with an address", "Exported by admin@example.com\r\n" + table, below},
		{"titles with more separators than the header", "a,b,c,d,e\r\n" + table, below},
		{"separators at the ends of rows", "email,name\r\ngrace@example.com,Grace Hopper,\r\nalan@example.com,Alan Turing,,,\r\n", people},
		{"separators at the end of the header", "email,name,,\r\ngrace@example.com,Grace Hopper\r\nalan@example.com,Alan Turing,,\r\n", people},
		{"short rows", "email,name,phone\ngrace@example.com,Grace Hopper\nalan@example.com,Alan Turing", people},
		{"spaces before quotation marks", "email, name\n\"grace@example.com\", \"Grace Hopper\"\n\"alan@example.com\",\t\"Alan Turing\"\n", people},
		{"spaces after quotation marks", "email ,name\n\"grace@example.com\" ,\"Grace Hopper\"  \n\"alan@example.com\"  , \"Alan Turing\"\n", people},
		{"spaces and more text after quotation marks", "email;name\n\"grace@example.com\" ; \"\"\"Grace\"\" Hopper\" \n\"alan@example.com\";\"Alan\" Turing\n", []string{"2|grace@example.com|\"Grace\" Hopper||", "3||||" + misquoted}},
		{"many spaces after quotation marks", "email,name\n\"grace@example.com\"" + strings.Repeat(" ", 20_000) + ",\"Grace Hopper\"\nalan@example.com,Alan Turing\n", people},
		{"many spaces within quotation marks", "email,name\n\"grace@example.com\",\"Grace" + strings.Repeat(" ", 20_000) + "Hopper\"\nalan@example.com,Alan Turing\n", people},
		{"quoted header", "\"email\",\"name\"\n\"grace@example.com\",\"Grace Hopper\"\n\"alan@example.com\",\"Alan Turing\"\n", people},
		{"line ends in quotation marks", "email,name\n\"grace@example.com\",\"Grace\r\nHopper\"\nalan@example.com,Alan Turing\n", []string{people[0], "4|alan@example.com|Alan Turing||"}},
		{"line ends in quotation marks, with tabs", "email\tname\r\ngrace@example.com\t\"Grace\n\nHopper\"\r\nalan@example.com\tAlan Turing\r\n", []string{people[0], "5|alan@example.com|Alan Turing||"}},
		{"a tab in quotation marks", "email\tname\ngrace@example.com\t\"Grace\tHopper\"\nalan@example.com\tAlan Turing\n", people},
		{"CR in quotation marks, with tabs", "email\tname\rgrace@example.com\t\"Grace\rHopper\"\ralan@example.com\tAlan Turing\r", []string{people[0], "4|alan@example.com|Alan Turing||"}},
		{"an open quotation mark, with tabs", "email\tname\ngrace@example.com\t\"Grace Hopper\nalan@example.com\tAlan Turing\n", []string{"2||||" + misquote, people[1]}},
		{"a quotation mark closed after another column", "name\temail\n\"Grace\tgrace@example.com\nHopper\"\tx@example.com\n", []string{"2||||" + misquote, "3|x@example.com|Hopper\"||"}},
		{"first and last names", "Last Name,First name,E-mail\nHopper,Grace,grace@example.com\nTuring, Alan ,alan@example.com\n", people},
		{"a display name before first and last names", "firstName,lastName,displayName,mail\nG,H,Grace Hopper,grace@example.com\nAlan,Turing,,alan@example.com\n", people},
		{"middle names", "first_name,middle_name,last_name,email\nGrace,Brewster,Hopper,grace@example.com\nAlan,,Turing,alan@example.com\n", []string{"2|grace@example.com|Grace Brewster Hopper||", people[1]}},
		{"nested names", "user.email,name.givenName,name.familyName\ngrace@example.com,Grace,Hopper\nalan@example.com,Alan,Turing\n", people},
		{"only a recovery address beside the primary one", "Recovery Email,Primary Email,name,Manager Email\nx@example.com,grace@example.com,Grace Hopper,\n,alan@example.com,Alan Turing,boss@example.com\n", people},
		{"a recovery address is never used", "Email,Recovery Email,Secondary Email,Manager Email\n,x@example.com,x@example.com,x@example.com\n", []string{"2||||"}},
		{"addresses with names", "email,phone\nGrace Hopper <grace@example.com>,1\n\"\"\"Turing, Alan\"\" <mailto:alan@example.com>\",2\n", []string{people[0], "3|alan@example.com|Turing, Alan||"}},
		{"addresses as links", "email,name\nmailto:grace@example.com?subject=x,Grace Hopper\n<alan@example.com>,Alan Turing\n", people},
		{"more columns than names, with text", "email,name\ngrace@example.com,Grace,Hopper\nalan@example.com,Alan Turing\n", []string{"2|grace@example.com|Grace||This row has 3 columns, but the header has 2. Put values that contain a separator in quotation marks.", people[1]}},
		{"a word in a column without a name", "email,name,\ngrace@example.com,Grace Hopper,Suspended\nalan@example.com,Alan Turing,7\n", []string{people[0] + skipped("a column without a name is “Suspended”"), people[1]}},
	} {
		lines, _, err := readAll(t, row.text)
		if diff := cmp.Diff(row.want, lines); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", row.name, err, diff)
		}
	}
}

func TestRead_AddressLists(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"one a line", "grace@example.com\r\nalan@example.com\r\n", []string{"1|grace@example.com|||", "2|alan@example.com|||"}},
		{"one", "grace@example.com", []string{"1|grace@example.com|||"}},
		{"blank lines", "\n\n grace@example.com \n\nalan@example.com\n", []string{"3|grace@example.com|||", "5|alan@example.com|||"}},
		{"commas", "grace@example.com, alan@example.com,\nada@example.com", []string{"1|grace@example.com|||", "1|alan@example.com|||", "2|ada@example.com|||"}},
		{"semicolons, as mail programs do", "grace@example.com; alan@example.com;", []string{"1|grace@example.com|||", "1|alan@example.com|||"}},
		{"spaces", "grace@example.com alan@example.com", []string{"1|grace@example.com|||", "1|alan@example.com|||"}},
		{"tabs", "grace@example.com\talan@example.com", []string{"1|grace@example.com|||", "1|alan@example.com|||"}},
		{"quotation marks", "\"grace@example.com\"\n\"alan@example.com\"\n", []string{"1|grace@example.com|||", "2|alan@example.com|||"}},
		{"single quotation marks", "'grace@example.com', 'alan@example.com'\n", []string{"1|grace@example.com|||", "1|alan@example.com|||"}},
		{"names", "Grace Hopper <grace@example.com>\nTuring, Alan <alan@example.com>\n\"Lovelace, Ada\" <ada@example.com>\n", []string{"1|grace@example.com|Grace Hopper||", "2|alan@example.com|Turing, Alan||", "3|ada@example.com|Lovelace, Ada||"}},
		{"names in one line", "Hopper, Grace <grace@example.com>; Alan Turing <alan@example.com>, <ada@example.com>", []string{"1|grace@example.com|Hopper, Grace||", "1|alan@example.com|Alan Turing||", "1|ada@example.com|||"}},
		{"links", "mailto:grace@example.com\n", []string{"1|grace@example.com|||"}},
		{"UTF-16", utf16(t, unicode.LittleEndian, unicode.UseBOM, "grace@example.com\ralan@example.com"), []string{"1|grace@example.com|||", "2|alan@example.com|||"}},
		{"with invalid addresses", "grace@example.com\nalan\nada@example.com (suspended)\nleft, joan@example.com\n", []string{"1|grace@example.com|||", "2|alan|||", "3|ada@example.com (suspended)|||", "4|left|||", "4|joan@example.com|||"}},
		{"an invalid address first", "ada@example.com (suspended)\nContact admin@example.com\ngrace@example.com\n", []string{"1|ada@example.com (suspended)|||", "2|Contact admin@example.com|||", "3|grace@example.com|||"}},
		{"a title", "Our members\ngrace@example.com\n", []string{"1|Our members|||", "2|grace@example.com|||"}},
	} {
		lines, unused, err := readAll(t, row.text)
		if diff := cmp.Diff(row.want, lines); diff != "" || err != nil || unused != nil {
			t.Errorf("%s: %v, -want +got\n%s", row.name, err, diff)
		}
	}
}

func TestRead_JSON(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxRecord)
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"one object over several lines", "{\n \"email\": \"grace@example.com\",\n \"name\": \"Grace\"\n}\n", []string{"1|grace@example.com|Grace||"}},
		{"objects over several lines", "{\n \"email\": \"grace@example.com\"\n}\n{\n \"email\": \"alan@example.com\"\n}\n", []string{"1|grace@example.com|||", "4|alan@example.com|||"}},
		{"a byte order mark", "\ufeff[{\"email\":\"grace@example.com\"}]", []string{"1|grace@example.com|||"}},
		{"UTF-16", utf16(t, unicode.BigEndian, unicode.IgnoreBOM, "[\n{\"email\":\"grace@example.com\"}]"), []string{"2|grace@example.com|||"}},
		{"CR", "[\r{\"email\":\"grace@example.com\"},\r\r{\"email\":\"alan@example.com\"}]", []string{"2|grace@example.com|||", "4|alan@example.com|||"}},
		{"users", "{\"users\":[{\"email\":\"grace@example.com\"},\n{\"email\":\"alan@example.com\"}]}", []string{"1|grace@example.com|||", "2|alan@example.com|||"}},
		{"Users", "{\"Count\":1,\n\"Users\":[\n{\"email\":\"grace@example.com\"}],\"next\":null}", []string{"3|grace@example.com|||"}},
		{"value", "{\"value\":[{\"mail\":\"grace@example.com\"}]}", []string{"1|grace@example.com|||"}},
		{"results", "{\"results\":[{\"email\":\"grace@example.com\"}],\"results_metadata\":{\"total\":1}}", []string{"1|grace@example.com|||"}},
		{"data", "{\"data\":[{\"email\":\"grace@example.com\"}]}", []string{"1|grace@example.com|||"}},
		{"users in data", "{\"data\":{\"users\":[{\"email\":\"grace@example.com\"}]}}", []string{"1|grace@example.com|||"}},
		{"one person in data", "{\"data\":{\"email\":\"grace@example.com\"}}", []string{"1|grace@example.com|||"}},
		{"consecutive pages", "{\"users\":[{\"email\":\"grace@example.com\"}]}\n{\"users\":[{\"email\":\"alan@example.com\"}]}\n", []string{"1|grace@example.com|||", "2|alan@example.com|||"}},
		{"consecutive arrays", "[{\"email\":\"grace@example.com\"}]\n[{\"email\":\"alan@example.com\"}]\n", []string{"1|grace@example.com|||", "2|alan@example.com|||"}},
		{"an empty list", "{\"users\":[]}", nil},
		{"a user with lists", "{\n\"email\":\"grace@example.com\",\"members\":[{\"email\":\"x@example.com\"}],\"data\":{\"x\":1}}", []string{"1|grace@example.com|||"}},
		{"a user that begins with an empty list", "{\n\"items\":[],\"accounts\":[\"a\"],\"email\":\"grace@example.com\"}", []string{"1|grace@example.com|||"}},
		{"a list after a long value", "{\"x\":\"a\",\"notes\":[\"" + long + "\"],\"users\":[\n{\"email\":\"grace@example.com\"}]}", []string{"2|grace@example.com|||"}},
		{"a long value", "{\n\"email\":\"x@example.com\",\"notes\":[\"" + long + "\"]}\n{\"email\":\"grace@example.com\"}", []string{"1||||This entry is larger than 64 KB.", "3|grace@example.com|||"}},
		{"names in an object", "{\"email\":\"grace@example.com\",\"name\":{\"given_name\":\"Grace\",\"family_name\":\"Hopper\"}}", []string{"1|grace@example.com|Grace Hopper||"}},
		{"a profile", "[{\"profile\":{\"email\":\"grace@example.com\",\"firstName\":\"Grace\",\"lastName\":\"Hopper\"},\"role\":\"admin\"}]", []string{"1|grace@example.com|Grace Hopper|admin|"}},
		{"a role that users can edit", "[{\"email\":\"grace@example.com\",\"profile\":{\"role\":\"admin\"},\"user_metadata\":{\"role\":\"admin\",\"name\":\"X\"}}]", []string{"1|grace@example.com|||"}},
		{"an address in an object", "[{\"email\":{\"address\":\"grace@example.com\",\"verified\":true}}]", []string{"1|grace@example.com|||"}},
		{"several addresses", "[{\"emails\":[{\"value\":\"x@example.com\",\"type\":\"home\"},{\"value\":\"grace@example.com\",\"primary\":true}]}]", []string{"1|grace@example.com|||"}},
		{"several addresses as text", "[{\"emails\":[\"grace@example.com\",\"x@example.com\"]}]", []string{"1|grace@example.com|||"}},
		{"another user's address", "[{\"name\":\"Grace\",\"manager\":{\"email\":\"x@example.com\"},\"recoveryEmail\":\"x@example.com\"}]", []string{"1||Grace||"}},
		{"ids that are not text", "[{\"primary_email_address_id\":[1],\"emails\":[{\"id\":[1],\"email\":\"grace@example.com\"}]}]", []string{"1|grace@example.com|||"}},
		{"addresses alone", "[\"grace@example.com\",\n\"Alan Turing <alan@example.com>\"]", []string{"1|grace@example.com|||", "2|alan@example.com|Alan Turing||"}},
		{"SCIM", "{\"Resources\":[{\"userName\":\"x@example.com\",\"active\":true,\"name\":{\"formatted\":\"Grace Hopper\"},\"emails\":[{\"value\":\"grace@example.com\",\"primary\":true}]}]}", []string{"1|grace@example.com|Grace Hopper||"}},
		{"a number for an address", "[{\"email\":7}]", []string{"1||||The email must be text."}},
		{"an array for a name", "[{\"email\":\"grace@example.com\",\"name\":[1,2]}]", []string{"1|grace@example.com|||The name must be text."}},
	} {
		lines, _, err := readAll(t, row.text)
		if diff := cmp.Diff(row.want, lines); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", row.name, err, diff)
		}
	}
}

func TestRead_AmbiguousFiles(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"a title about users that may not sign in", "Suspended users\nemail,name\ngrace@example.com,Grace\n", "Line 1: The title is “Suspended users”. If these people may sign in, delete this line."},
		{"such a title before addresses", "\nBlocked:\ngrace@example.com\n", "Line 2: The title is “Blocked:”. If these people may sign in, delete this line."},
		{"a person above the header", "grace@example.com,Grace\nemail,name\nalan@example.com,Alan\n", "Line 1: The first line must name the columns. One of them must be email; name and role are optional. Found: grace@example.com, Grace."},
		{"a header too far below", strings.Repeat("x\n", maxTitles+1) + "email\ngrace@example.com\n", "Line 1: The first line must name the columns. One of them must be email; name and role are optional. Found: x."},
		{"a quotation mark in the header", "em\"ail,name\ngrace@example.com,Grace\n", "Line 1: " + misquote},
		{"a header with an open quotation mark", "\n\"email,name\ngrace@example.com,Grace\n", "Line 2: A quotation mark around here is never closed, or a row is larger than 64 KB. Nothing after it can be read."},
		{"lines in quotation marks", "\"email,name\"\n\"grace@example.com,Grace\"\n", "Line 1: The whole line is in quotation marks, so it is one column. Remove them, or save the table as CSV again."},
		{"a wrong sep line", "sep=;\nemail,name\ngrace@example.com,Grace\n", "Line 2: " + noAddressColumn + " Found: email,name."},
		{"two addresses of the same kind", "email;Email Address\n;\n", "Line 1: There are two columns for the email."},
		{"two last names", "email,Last Name,Surname\n", "Line 1: There are two columns for the last name."},
		{"only empty fields", "\"\",\n,\n", "The file is empty."},
		{"only sep", "sep=;\r\n", "The file is empty."},
		{"UTF-32", "\xff\xfe\x00\x00e\x00\x00\x00", "This isn't a text file. Save the table as CSV (UTF-8) and choose that file."},
		{"invalid JSON", "{\"email\"\n\n:", "Line 3: " + notJSON},
		{"truncated JSON", "{\"users\":[{\"email\":\"grace@example.com\"},\n", "Line 2: " + notJSON},
	} {
		if _, _, err := readAll(t, row.text); err == nil || err.Error() != row.want {
			t.Errorf("%s: %v\nwant %s", row.name, err, row.want)
		}
	}
}
