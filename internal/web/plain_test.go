package web

import (
	"bytes"
	"html/template"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// FuzzARowIsWrittenAsHTMLTemplateWouldWriteIt holds that plain escapes what
// html/template escapes where the fields of a row stand.
func FuzzARowIsWrittenAsHTMLTemplateWouldWriteIt(f *testing.F) {
	f.Add("0199c7a2-5f3e-7cc1-9d3e-000000000001", "Ada Lovelace", "ada+list@example.com", "admin", "active")
	const harm = "javascript:x('\"`</script><!-- é \x00\xff\n=+&amp;%zz ${x} {{.}} /../?#"
	f.Add(harm, harm, harm, harm, harm)
	o := Options{BaseURL: &url.URL{Scheme: "https", Host: "example.com", Path: "/people"}, Now: func() time.Time { return noon }}
	s, page := newServer(o), newServer(o).templates["users"]()
	f.Fuzz(func(t *testing.T, id, name, address, role, status string) {
		u := directory.User{
			ID: id, Name: name, Email: directory.Email{Display: address}, Role: directory.Role(role), Status: directory.Status(status),
			CreatedAt: noon.Add(-90 * 24 * time.Hour),
		}
		var want strings.Builder
		if err := page.ExecuteTemplate(&want, "person", s.personRow(u, nil, noon, "q=a%26b&role=admin")); err != nil {
			t.Fatal(err)
		}
		if got := string(s.renderRows([]directory.User{u}, nil, "q=a%26b&role=admin")); got != want.String() {
			t.Errorf("got\n%s\nwant\n%s", got, want.String())
		}
	})
}

func TestAPlainTemplateHoldsTextAndFieldsAlone(t *testing.T) {
	t.Parallel()
	type row struct {
		Name string
		Age  int
	}
	const refused = "refused"
	for text, want := range map[string]string{
		"": "", "<p>": "<p>", "{{.Name}}": "A&amp;B", `<b title="{{.Name}}">{{.Name}}</b>`: `<b title="A&amp;B">A&amp;B</b>`,
		"<p> {{/* so */}} x {{- .Name -}} y": "<p>  xA&amp;By",
		"{{.Nobody}}":                        refused, "{{.Age}}": refused, "{{.}}": refused, "{{.Name | html}}": refused, "{{html .Name}}": refused, `{{"Name"}}`: refused,
		"{{$.Name}}": refused, "{{$x := .Name}}": refused, "{{if .Name}}x{{end}}": refused, "{{with .Name}}{{.}}{{end}}": refused, `{{template "x"}}`: refused,
	} {
		parsed := template.Must(template.New("x").Parse(text))
		got := func() (got string) {
			defer func() {
				if recover() != nil {
					got = refused
				}
			}()
			var b bytes.Buffer
			parseRowTemplate(parsed, reflect.TypeFor[row]()).write(&b, reflect.ValueOf(row{Name: "A&B"}))
			return b.String()
		}()
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
