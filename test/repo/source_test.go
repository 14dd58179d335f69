package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// never is what no file that is shipped may hold, by the ending of its name.
var never = map[string][]struct {
	pattern *regexp.Regexp
	because string
}{
	".go": {
		{regexp.MustCompile(`template\.(HTML|HTMLAttr|JS|JSStr|CSS|URL|Srcset)\b`), "what is shown is escaped, all of it"},
		{regexp.MustCompile(`"text/template"`), "html/template escapes, this doesn't"},
		{regexp.MustCompile(`"math/rand(/v2)?"`), "secrets come from crypto/rand"},
		{regexp.MustCompile(`"crypto/(md5|sha1|des|rc4)"`), "these are broken"},
		{regexp.MustCompile(`InsecureSkipVerify|VersionTLS1[01]\b|VersionSSL`), "who is at the other end is checked"},
		{regexp.MustCompile(`"(net/http/pprof|expvar|encoding/gob|unsafe|plugin)"`), "it shows or takes more than it should"},
		{regexp.MustCompile(`"os/exec"|syscall\.Exec`), "the program runs no other"},
		{regexp.MustCompile(`httputil\.ReverseProxy`), "one package forwards requests"},
	},
	".js": {
		{regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\(["'\x60]`), "text stays text"},
		{regexp.MustCompile(`localStorage|sessionStorage|indexedDB|document\.cookie`), "nothing is kept in the browser but cookies that scripts can't read"},
		{regexp.MustCompile(`https?://`), "nothing comes from elsewhere"},
		{regexp.MustCompile(`postMessage|addEventListener\(["']message`), "pages exchange no messages"},
	},
	".sql": {
		{regexp.MustCompile(`(?i)\bGRANT\s+(ALL|SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|EXECUTE|USAGE|PROXY)\b|\bLOAD_FILE\b|\bINTO\s+OUTFILE\b`), "the database does no more than keep rows"},
	},
}

// except says where one of them may stand all the same, and why.
var except = map[string]string{
	"tools/bench/apps.go \"math/rand/v2\"":                    "the same made-up groups in every run",
	"tools/bench/openid.go \"math/rand/v2\"":                  "the same made-up people in every run",
	"tools/bench/peer.go \"os/exec\"":                         "the benchmark starts what it measures",
	"tools/bench/upstream.go \"os/exec\"":                     "the benchmark starts what it measures",
	"tools/bench/bare.go \"os/exec\"":                         "the benchmark starts what it measures",
	"tools/bench/engine.go \"os/exec\"":                       "the benchmark starts what it measures",
	"tools/bench/process.go \"os/exec\"":                      "the benchmark starts what it measures",
	"tools/bench/product.go \"os/exec\"":                      "the benchmark starts what it measures",
	"tools/bench/report.go \"os/exec\"":                       "the benchmark asks which kernel there is",
	"tools/bench/seed.go \"math/rand/v2\"":                    "the same made-up people in every run",
	"tools/peers/main.go \"os/exec\"":                         "calls go",
	"tools/release/main.go \"os/exec\"":                       "calls go",
	"internal/guard/proxy/proxy.go httputil.ReverseProxy":     "requests are forwarded in this package alone",
	"internal/guard/proxy/stream.go \"math/rand/v2\"":         "when to check again",
	"internal/web/enter.go template.URL":                      "a client's redirect URI may have a scheme of its own, which is checked when it's registered",
	"internal/apps/snippet/snippet.go \"text/template\"":      "configurations of proxies, filled with canonical addresses",
	"internal/openid/recipe/recipe.go \"text/template\"":      "configurations of tools, filled with quoted values",
	"internal/telemetry/handler.go \"net/http/pprof\"":        "on a listener of its own",
	"internal/testdb/server.go \"os/exec\"":                   "starts the database of the tests",
	"internal/web/loadshed/loadshed.go \"math/rand/v2\"":      "when to come again",
	"internal/store/reconcile.go \"math/rand/v2\"":            "when the first comparison is",
	"internal/store/refold.go \"math/rand/v2\"":               "how long a pause is",
	"internal/store/storetest/pages.go \"math/rand/v2\"":      "what a test sorts",
	"internal/stytchlocal/faults/faults.go \"math/rand/v2\"":  "whether a fault strikes",
	"internal/stytchlocal/mail/template.go \"text/template\"": "the part of a mail that is plain text",
}

func TestSource_HasNoBannedConstructs(t *testing.T) {
	t.Parallel()
	seen, needed := map[string]int{}, map[string]bool{}
	walkRepo(t, func(path string) {
		ending := filepath.Ext(path)
		if never[ending] == nil || isTestdata(path) || strings.HasPrefix(path, "test/") || strings.HasSuffix(path, "_test.go") {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		seen[ending]++
		for _, n := range never[ending] {
			for _, found := range n.pattern.FindAllString(string(text), -1) {
				place := path + " " + found
				needed[place] = true
				if except[place] == "" {
					t.Errorf("%s: %s", place, n.because)
				}
			}
		}
	})
	for place := range except {
		if !needed[place] {
			t.Errorf("%s is an exception that nothing needs", place)
		}
	}
	for ending := range never {
		if seen[ending] == 0 {
			t.Errorf("no %s file was looked at", ending)
		}
	}
}
