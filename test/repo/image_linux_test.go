package repo

import (
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/guestlist/guestlist/test/harness"
)

// The image is an empty root with the program, the folder for a list, and the
// certificate authorities of its base image.
func TestTheProgramOfTheImageNeedsNothingAroundIt(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may run a program in another root")
	}
	program := filepath.Join(t.TempDir(), "guestlist")
	build := strings.ReplaceAll(part(t, "Dockerfile", `(?m)^ *(\S+ .*go build .* -o /out/guestlist \.)`), "/out/guestlist", program)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", build)
	cmd.Env = append(os.Environ(), "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	t.Run("serves, and stops in order", func(t *testing.T) {
		t.Parallel()
		root := newImage(t, program)
		p := harness.LaunchAs(t, root.command("/guestlist"))
		ada := p.NewPerson("ada@example.com")
		harness.WantPage(t, ada.SignIn(), 200, "People")
		harness.WantPage(t, ada.UploadFile("people.csv", harness.PeopleFile(20_000)), 200, "people.csv", "Import 20,000 people")
		if info, err := os.Stat(filepath.Join(root.dir, "data", "guestlist.db")); err != nil || info.Mode().Perm() != 0o600 || info.Sys().(*syscall.Stat_t).Uid != imageUser {
			t.Errorf("the list: %+v, %v", info, err)
		}
		checks := map[string][]string{"deploy/compose.yaml": readCompose(t).Services["guestlist"].Healthcheck.Test[1:]}
		var words []string
		if err := json.Unmarshal([]byte(part(t, "Dockerfile", `HEALTHCHECK .* CMD (\[.*\])`)), &words); err != nil {
			t.Fatal(err)
		}
		checks["Dockerfile"] = words
		for file, words := range checks {
			check := root.command(append(words, "--guestlist-addr="+p.Config.Addr)...)
			if out, err := exec.CommandContext(t.Context(), check[0], check[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%s: %q: %v\n%s", file, words, err, out)
			}
		}
		p.Cmd.Process.Signal(syscall.SIGTERM)
		if err := p.Cmd.Wait(); err != nil {
			t.Errorf("it ended with %v\n%s", err, p.Log)
		}
	})
	for says, known := range map[string]bool{"ok": true, "out of reach": false} {
		t.Run("finds Stytch "+says, func(t *testing.T) {
			t.Parallel()
			r := harness.NewRemoteStytch(t, harness.NewClock(time.Now()))
			stytch, certificate := startTLS(r)
			root := newImage(t, program)
			if known {
				root.write("etc/ssl/certs/ca-certificates.crt", certificate)
			}
			p := harness.LaunchAs(t, root.command("/guestlist"), r.Flags("--stytch-base-url="+stytch)...)
			if v := harness.NewVisitor(p.Site).Get("/readyz"); v.Status != 200 || !strings.Contains(v.Body, `"stytch":"`+says+`"`) {
				t.Errorf("%d %s", v.Status, v.Body)
			}
		})
	}
}

// imageUser is the user of the image.
const imageUser = 65532

// image is a folder that is the root to the programs in it.
type image struct {
	t   *testing.T
	dir string
}

func newImage(t *testing.T, program string) image {
	t.Helper()
	i := image{t, t.TempDir()}
	data := filepath.Join(i.dir, strings.TrimPrefix(part(t, "Dockerfile", `VOLUME (\S+)`), "/"))
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(data, imageUser, imageUser); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(program, filepath.Join(i.dir, "guestlist")); err != nil {
		t.Fatal(err)
	}
	return i
}

// command is how something in the image is run, by its user.
func (i image) command(words ...string) []string {
	return append([]string{"chroot", "--userspec=" + part(i.t, "Dockerfile", `(?m)^USER (\S+)$`), i.dir}, words...)
}

// write puts a file into the image.
func (i image) write(name, text string) {
	i.t.Helper()
	path := filepath.Join(i.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		i.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		i.t.Fatal(err)
	}
}

// startTLS is where this Stytch is reached by TLS, and the certificate authority
// that vouches for it.
func startTLS(r *harness.RemoteStytch) (address, authority string) {
	r.T.Helper()
	target, err := url.Parse("http://" + r.Addr)
	if err != nil {
		r.T.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }})
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	r.T.Cleanup(server.Close)
	return server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}
