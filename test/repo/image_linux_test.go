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

// The image contains the program, the directory for a database, and the certificate authorities of its
// base image.
func TestImage_ProgramNeedsNothingElse(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root for chroot")
	}
	program := filepath.Join(t.TempDir(), "guestlist")
	build := strings.ReplaceAll(match(t, "Dockerfile", `(?m)^ *(\S+ .*go build .* -o /out/guestlist \.)`), "/out/guestlist", program)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", build)
	cmd.Env = append(os.Environ(), "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	t.Run("serves and shuts down", func(t *testing.T) {
		t.Parallel()
		root := newImage(t, program)
		p := harness.LaunchAs(t, root.command("/guestlist"))
		ada := p.NewPerson("ada@example.com")
		harness.WantPage(t, ada.SignIn(), 200, "My apps", "People")
		harness.WantPage(t, ada.UploadFile("people.csv", harness.PeopleFile(20_000)), 200, "people.csv", "Import 20,000 people")
		if info, err := os.Stat(filepath.Join(root.dir, "data", "guestlist.db")); err != nil || info.Mode().Perm() != 0o600 || info.Sys().(*syscall.Stat_t).Uid != imageUser {
			t.Errorf("database file: %+v, %v", info, err)
		}
		var dockerfileCheck []string
		if err := json.Unmarshal([]byte(match(t, "Dockerfile", `HEALTHCHECK .* CMD (\[.*\])`)), &dockerfileCheck); err != nil {
			t.Fatal(err)
		}
		for file, args := range map[string][]string{
			"Dockerfile":          dockerfileCheck,
			"deploy/compose.yaml": readCompose(t).Services["guestlist"].Healthcheck.Test[1:],
		} {
			check := root.command(append(args, "--guestlist-addr="+p.Config.Addr)...)
			if out, err := exec.CommandContext(t.Context(), check[0], check[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%s: %q: %v\n%s", file, args, err, out)
			}
		}
		p.Cmd.Process.Signal(syscall.SIGTERM)
		if err := p.Cmd.Wait(); err != nil {
			t.Errorf("exit status: %v\n%s", err, p.Log)
		}
	})
	for status, trusted := range map[string]bool{"ok": true, "out of reach": false} {
		t.Run("finds Stytch "+status, func(t *testing.T) {
			t.Parallel()
			r := harness.NewRemoteStytch(t, harness.NewClock(time.Now()))
			stytch, certificate := startTLS(r)
			root := newImage(t, program)
			if trusted {
				root.write("etc/ssl/certs/ca-certificates.crt", certificate)
			}
			p := harness.LaunchAs(t, root.command("/guestlist"), r.Flags("--stytch-base-url="+stytch)...)
			if v := harness.NewVisitor(p.Site).Get("/readyz"); v.Status != 200 || !strings.Contains(v.Body, `"stytch":"`+status+`"`) {
				t.Errorf("status %d %s", v.Status, v.Body)
			}
		})
	}
}

// imageUser is the user of the image.
const imageUser = 65532

// image is a directory with the contents of the image, used as root.
type image struct {
	t   *testing.T
	dir string
}

// newImage returns an image with a program and a writable directory for the database.
func newImage(t *testing.T, program string) image {
	t.Helper()
	i := image{t, t.TempDir()}
	data := filepath.Join(i.dir, strings.TrimPrefix(match(t, "Dockerfile", `VOLUME (\S+)`), "/"))
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

// command returns the command that runs another one in the image as the image's user.
func (i image) command(args ...string) []string {
	return append([]string{"chroot", "--userspec=" + match(i.t, "Dockerfile", `(?m)^USER (\S+)$`), i.dir}, args...)
}

// write writes a file in the image.
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

// startTLS starts a TLS proxy for a Stytch. It returns its URL and the certificate to trust.
func startTLS(r *harness.RemoteStytch) (address, certificate string) {
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
