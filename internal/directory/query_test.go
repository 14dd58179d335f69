package directory_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestParseSort(t *testing.T) {
	t.Parallel()
	const refusal = "Sort by name, email, created_at or last_seen_at, with - in front for descending."
	tests := []struct {
		name, in      string
		want, reverse directory.Sort
		column        directory.Sort
		err           string
	}{
		{"is by name unasked", "", "name", "-name", "name", ""},
		{"knows a column", "email", "email", "-email", "email", ""},
		{"knows a column descending", "-created_at", "-created_at", "created_at", "created_at", ""},
		{"knows the newest first", "-last_seen_at", "-last_seen_at", "last_seen_at", "last_seen_at", ""},
		{"refuses a column that is not for sorting", "stytch_user_id", "", "", "", refusal},
		{"refuses two signs", "--name", "", "", "", refusal},
		{"refuses a sign alone", "-", "", "", "", refusal},
		{"refuses SQL", "name; DROP TABLE users", "", "", "", refusal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := directory.ParseSort(test.in)
			if got != test.want || message(err) != test.err {
				t.Fatalf("got %q and %q, want %q and %q", got, message(err), test.want, test.err)
			}
			if err == nil && (got.Reverse() != test.reverse || got.Column() != test.column || got.Descending() != strings.HasPrefix(string(got), "-")) {
				t.Errorf("%s: reverse %s, column %s, descending %t", got, got.Reverse(), got.Column(), got.Descending())
			}
		})
	}
}

func TestSetCursor(t *testing.T) {
	t.Parallel()
	for _, p := range []directory.Keyset{
		{Key: "lovelace", ID: "01890a5d-ac96-774b-bcce-b302099a8057"},
		{Key: "зоя 张伟 👩‍💻", ID: "x"},
		{Key: `"},"s":"email`, ID: ""},
		{Key: strings.Repeat("&", 100), ID: "x"},
		{},
	} {
		for _, backward := range []bool{false, true} {
			text := directory.EncodeCursor("-name", &p, backward)
			if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
				t.Errorf("%q has to be escaped in a URL", text)
			}
			got := directory.Query{Sort: "-name", Limit: 7}
			if err := got.SetCursor(text); err != nil {
				t.Errorf("%+v: %v", p, err)
			}
			if diff := cmp.Diff(directory.Query{Sort: "-name", Limit: 7, After: &p, Backward: backward}, got); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", p, diff)
			}
		}
	}
	if got := directory.EncodeCursor(directory.ByName, nil, true); got != "" {
		t.Errorf("the cursor of no position is %q", got)
	}
	word := &directory.Keyset{Key: "lovelace", ID: "x", ByWord: true}
	found := directory.Query{Sort: directory.ByName, Terms: []string{"love"}}
	if err := found.SetCursor(directory.EncodeCursor(directory.ByName, word, false)); err != nil || *found.After != *word {
		t.Errorf("the cursor of a search by words leads to %+v, %v", found.After, err)
	}
	q := directory.Query{Sort: directory.ByName}
	if err := q.SetCursor(""); err != nil || q.After != nil {
		t.Errorf("no cursor leads to %+v, %v", q.After, err)
	}
}

func TestSetCursor_Invalid(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	good := directory.EncodeCursor(directory.ByName, &directory.Keyset{Key: "k", ID: "i"}, false)
	tests := []struct{ name, text string }{
		{"of another order", directory.EncodeCursor(directory.ByEmail, &directory.Keyset{Key: "k", ID: "i"}, false)},
		{"of the other direction", directory.EncodeCursor("-name", &directory.Keyset{Key: "k", ID: "i"}, false)},
		{"of a search by words, where there is none", directory.EncodeCursor(directory.ByName, &directory.Keyset{Key: "k", ID: "i", ByWord: true}, false)},
		{"cut", good[:len(good)-3]},
		{"with more behind it", good + "AAAA"},
		{"padded", good + "="},
		{"of the other alphabet", "+/+/"},
		{"without an order", encode(`{"p":{"k":"k","i":"i"}}`)},
		{"without anything", encode(`{}`)},
		{"of another type", encode(`{"s":"name","p":{"k":1,"i":"i"}}`)},
		{"that is a list", encode(`["name"]`)},
		{"that is no JSON", encode(`name`)},
		{"that is endless", encode(`{"s":"name","p":{"k":"` + strings.Repeat("k", 2000) + `","i":"i"}}`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := directory.Query{Sort: directory.ByName}
			err := got.SetCursor(test.text)
			if want := "This cursor belongs to another list. Start again without a cursor."; message(err) != want {
				t.Errorf("says %q, want %q", message(err), want)
			}
			if got.After != nil || got.Backward {
				t.Errorf("leads to %+v all the same", got.After)
			}
		})
	}
}

// FuzzFollow holds that a cursor which is taken is one that could be given.
func FuzzFollow(f *testing.F) {
	for _, sort := range []directory.Sort{"name", "-created_at"} {
		f.Add(directory.EncodeCursor(sort, &directory.Keyset{Key: "k", ID: "i"}, sort.Descending()), string(sort))
	}
	f.Add("e30", "")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"s":"name","P":{"K":"\ud800"},"b":true}`)), "name")
	f.Fuzz(func(t *testing.T, text, order string) {
		sort, err := directory.ParseSort(order)
		if err != nil || len(text) > 300 { // a longer one may outgrow the limit when its signs are escaped
			return
		}
		q := directory.Query{Sort: sort}
		if q.SetCursor(text) != nil || text == "" {
			if q.After != nil {
				t.Errorf("%q leads to %+v", text, q.After)
			}
			return
		}
		again := directory.Query{Sort: sort}
		if err := again.SetCursor(directory.EncodeCursor(sort, q.After, q.Backward)); err != nil {
			t.Errorf("%q leads to %+v, whose own cursor does not: %v", text, q.After, err)
		}
		if diff := cmp.Diff(q, again); diff != "" {
			t.Errorf("%q and its own cursor lead to different places:\n%s", text, diff)
		}
	})
}
