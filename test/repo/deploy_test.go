package repo

import (
	"database/sql"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/healthcheck"
	"github.com/guestlist/guestlist/internal/httpserver"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// settingPattern matches names of settings.
var settingPattern = regexp.MustCompile(`\b(?:(?:GUESTLIST|STYTCH|SMTP|DATABASE|COOKIE)_[A-Z_]*[A-Z]|PORT)\b`)

func TestDeployment_SetsKnownSettings(t *testing.T) {
	t.Parallel()
	known := []string{"PORT"}
	for _, s := range config.Settings {
		known = append(known, s.Name)
	}
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(docs, "fly.toml", "deploy/compose.yaml", "Dockerfile", "deploy/guestlist.service") {
		for _, name := range settingPattern.FindAllString(readText(t, path), -1) {
			if !slices.Contains(known, name) && !strings.HasPrefix(name, "GUESTLIST_TEST_") {
				t.Errorf("%s: %s isn't a setting", path, name)
			}
		}
	}
}

func TestFly_PortsAndChecks(t *testing.T) {
	t.Parallel()
	fly := readFly(t, "")
	environ := []string{"FLY_APP_NAME=" + fly.App}
	for name, value := range fly.Env {
		environ = append(environ, name+"="+value)
	}
	// The comment in fly.toml, and the two procedures in docs/fly.md.
	procedures := append([]string{readText(t, "fly.toml")}, regexp.MustCompile(`(?s)fly secrets set --stage .*?\n\n`).FindAllString(readText(t, "docs/fly.md"), -1)...)
	if len(procedures) != 3 {
		t.Fatalf("docs/fly.md has %d procedures, want 2", len(procedures)-1)
	}
	for _, procedure := range procedures {
		cfg := loadConfig(t, append(assignments(procedure), environ...)...)
		if _, port, _ := net.SplitHostPort(cfg.Addr); cfg.LocalStytch || port != match(t, "fly.toml", `internal_port = (\d+)`) {
			t.Errorf("listens on %s; local Stytch: %t", cfg.Addr, cfg.LocalStytch)
		}
	}
	ready := fly.Checks["ready"]
	want := flyCheck{Type: "http", Port: fly.HTTPService.InternalPort, Method: "GET", Path: "/readyz", GracePeriod: "10s", Interval: "15s", Timeout: "5s"}
	if diff := cmp.Diff(want, ready); diff != "" {
		t.Error(diff)
	}
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	for _, check := range append(fly.HTTPService.Checks, ready) {
		if v := harness.NewVisitor(s).CallAPI(check.Method, check.Path, ""); v.Status != http.StatusOK {
			t.Errorf("%s: status %d", check.Path, v.Status)
		}
	}
	if len(fly.HTTPService.Checks) != 1 || fly.HTTPService.Checks[0].Path != "/healthz" {
		t.Errorf("requests depend on %v", fly.HTTPService.Checks)
	}
}

func TestFly_CommandsNameTheImagesProgram(t *testing.T) {
	t.Parallel()
	program := match(t, "Dockerfile", `ENTRYPOINT \["(\S+)"\]`)
	commands := 0
	sources, err := filepath.Glob("internal/cli/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(sources, "docs/fly.md") {
		for _, found := range regexp.MustCompile(`fly ssh console -\S+ ["'](\S+?)["' ]`).FindAllStringSubmatch(readText(t, path), -1) {
			commands++
			if found[1] != program { // which isn't in PATH
				t.Errorf("%s runs %s, the program is %s", path, found[1], program)
			}
		}
	}
	if commands < 3 {
		t.Errorf("only %d commands found", commands)
	}
}

func TestFly_VolumeContainsTheDatabase(t *testing.T) {
	t.Parallel()
	mounts := readFly(t, match(t, "docs/fly.md", "(?s)```toml(.*?)```")).Mounts
	cfg := loadConfig(t, assignments(match(t, "docs/fly.md", `(?s)## With SQLite.*?(fly secrets set.*?\n\n)`))...)
	if dir := filepath.Dir(strings.TrimPrefix(cfg.DatabaseURL, "sqlite:")); mounts.Destination != dir {
		t.Errorf("the volume is at %s, the database in %s", mounts.Destination, dir)
	}
	if volume := match(t, "Dockerfile", `VOLUME (\S+)`); mounts.Destination != volume {
		t.Errorf("the volume is at %s, the image's writable directory at %s", mounts.Destination, volume)
	}
}

func TestCompose_IsLocalModeBehindItsProxy(t *testing.T) {
	t.Parallel()
	services := readCompose(t).Services
	var environ []string
	for name, value := range services["guestlist"].Environment {
		environ = append(environ, name+"="+value)
	}
	cfg := loadConfig(t, environ...)
	if !cfg.LocalMode() {
		t.Error("not in local mode")
	}
	if admins := cfg.Admins; cfg.FirstAdmin() || len(admins) != 1 || !strings.Contains(readText(t, "docs/deploying.md"), "invites `"+admins[0]+"`") {
		t.Errorf("administrators: %q; first person: %v", admins, cfg.FirstAdmin())
	}
	if _, err := os.Stat(filepath.Join("deploy", services["guestlist"].Build, "Dockerfile")); err != nil {
		t.Error(err)
	}
	for _, pattern := range []string{`(?s):8080 \{\n\treverse_proxy (\S+)`, `forward_auth (\S+)`} {
		if to := match(t, "deploy/Caddyfile", pattern); to != cfg.Addr {
			t.Errorf("the proxy forwards to %s, Guestlist listens on %s", to, cfg.Addr)
		}
	}
	if !slices.Contains(services["door"].Volumes, "./Caddyfile:/etc/caddy/Caddyfile:ro") {
		t.Errorf("the proxy has the volumes %q", services["door"].Volumes)
	}
	from := match(t, "deploy/Caddyfile", `(?m)^:(\d+) \{`)
	if want := []string{"127.0.0.1:" + cfg.BaseURL.Port() + ":" + from, "127.0.0.1:8025:8025"}; !slices.Equal(services["door"].Ports, want) {
		t.Errorf("published ports: got %q, want %q", services["door"].Ports, want)
	}
	for name, service := range services {
		if name != "door" && (service.NetworkMode != "service:door" || service.Ports != nil) {
			t.Errorf("%s doesn't share the proxy's network, or publishes ports", name)
		}
	}
}

func TestCompose_ProtectsTheTool(t *testing.T) {
	t.Parallel()
	services := readCompose(t).Services
	app := match(t, "deploy/Caddyfile", `(?m)^(http://links\.localhost:\d+) \{`)
	if got := services["guestlist"].Environment["GUESTLIST_APPS"]; got != app {
		t.Errorf("the proxy protects %s, Guestlist %s", app, got)
	}
	if got := services["links"].Environment["LD_AUTH_PROXY_LOGOUT_URL"]; got != app+"/.guestlist/signout" {
		t.Errorf("the tool's sign-out leads to %s", got)
	}
	if !strings.Contains(readText(t, "docs/deploying.md"), app) {
		t.Error("docs/deploying.md doesn't name the tool's address")
	}
	pinned := strings.TrimPrefix(match(t, "tools/peers/caddy/go.mod", `caddyserver/caddy/v2 (v\S+)`), "v")
	if image := services["door"].Image; image != "caddy:"+pinned {
		t.Errorf("the proxy is %s, tests use %s", image, pinned)
	}
}

func TestCompose_DatabaseIsTheTestedVersion(t *testing.T) {
	t.Parallel()
	image := readCompose(t).Services["database"].Image
	db, err := sql.Open("mysql", testdb.MySQL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var version string
	if err := db.QueryRowContext(t.Context(), "SELECT VERSION()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	_, family, _ := strings.Cut(image, "mariadb:")
	if strings.HasPrefix(version, family+".") && strings.Contains(version, "MariaDB") {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Errorf("deploy/compose.yaml has %s, tests use %s", image, version)
	}
	t.Skipf("the installed server is %s, not %s", version, image)
}

func TestDockerfile_GoVersionAndPort(t *testing.T) {
	t.Parallel()
	image := match(t, "Dockerfile", `golang:(\S+)`)
	if module := match(t, "go.mod", `(?m)^go (\d+\.\d+)`); image != module {
		t.Errorf("Dockerfile has Go %s, go.mod %s", image, module)
	}
	cfg := loadConfig(t)
	if port := match(t, "Dockerfile", `EXPOSE (\d+)`); !strings.HasSuffix(cfg.Addr, ":"+port) {
		t.Errorf("exposes %s, listens on %s", port, cfg.Addr)
	}
}

func TestDeployment_GCSettingsAgree(t *testing.T) {
	t.Parallel()
	fly := readFly(t, "")
	got := map[string][2]string{"fly.toml": {fly.Env["GOGC"], fly.Env["GOMEMLIMIT"]}}
	for path, prefix := range map[string]string{"Dockerfile": `(?m)^ENV.*\b`, "deploy/guestlist.service": `(?m)^Environment=.*\b`, "tools/bench/product.go": `"`} {
		got[path] = [2]string{match(t, path, prefix+`GOGC=(\w+)`), match(t, path, prefix+`GOMEMLIMIT=(\w+)`)}
	}
	for path, values := range got {
		if values != [2]string{"200", "160MiB"} {
			t.Errorf("%s sets GOGC and GOMEMLIMIT to %q", path, values)
		}
	}
	if memory := fly.VM[0]["memory"]; memory != "256mb" {
		t.Errorf("the limit is meant for 256 MB, the machine has %s", memory)
	}
}

// closeTimeout is how long closing the app may take: a call to Stytch in progress and recording its
// result, twice callTimeout of internal/outbox.
const closeTimeout = 16 * time.Second

func TestDeployment_StopTimeouts(t *testing.T) {
	t.Parallel()
	fly := readFly(t, "")
	guestlist := readCompose(t).Services["guestlist"]
	needed := httpserver.ConnGrace + httpserver.ShutdownTimeout + closeTimeout
	for file, text := range map[string]string{
		"fly.toml":                 (time.Duration(fly.KillTimeout) * time.Second).String(),
		"deploy/compose.yaml":      guestlist.StopGracePeriod,
		"deploy/guestlist.service": match(t, "deploy/guestlist.service", `(?m)^TimeoutStopSec=(\d+)$`) + "s",
		"docs/deploying.md":        match(t, "docs/deploying.md", `--stop-timeout (\d+)`) + "s",
	} {
		if timeout, err := time.ParseDuration(text); err != nil || timeout <= needed {
			t.Errorf("%s allows %s to stop, needed are %v (%v)", file, text, needed, err)
		}
	}
	for file, signal := range map[string]string{
		"fly.toml":                 fly.KillSignal,
		"deploy/guestlist.service": match(t, "deploy/guestlist.service", `(?m)^KillSignal=(\S+)$`),
	} {
		if signal != "SIGTERM" { // which the program handles
			t.Errorf("%s sends %s", file, signal)
		}
	}
	for file, text := range map[string]string{
		"Dockerfile":          match(t, "Dockerfile", `--timeout=(\S+)`),
		"deploy/compose.yaml": guestlist.Healthcheck.Timeout,
	} {
		if timeout, err := time.ParseDuration(text); err != nil || timeout <= healthcheck.Timeout {
			t.Errorf("%s allows guestlist health %s (%v)", file, text, err)
		}
	}
}
