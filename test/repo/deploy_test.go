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

// settingLike is a name that can only be meant as a setting.
var settingLike = regexp.MustCompile(`\b(?:(?:GUESTLIST|STYTCH|SMTP|DATABASE|COOKIE)_[A-Z_]*[A-Z]|PORT)\b`)

func TestWhatTheFilesForDeployingSetIsASetting(t *testing.T) {
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
		for _, name := range settingLike.FindAllString(readText(t, path), -1) {
			if !slices.Contains(known, name) && !strings.HasPrefix(name, "GUESTLIST_TEST_") {
				t.Errorf("%s: %s is no setting", path, name)
			}
		}
	}
}

func TestOnFlyItListensAndIsAskedWhereFlyThinks(t *testing.T) {
	t.Parallel()
	fly := readFly(t, "")
	environ := []string{"FLY_APP_NAME=" + fly.App}
	for name, value := range fly.Env {
		environ = append(environ, name+"="+value)
	}
	// The file's own comment, and the two ways of docs/fly.md.
	ways := append([]string{readText(t, "fly.toml")}, regexp.MustCompile(`(?s)fly secrets set --stage .*?\n\n`).FindAllString(readText(t, "docs/fly.md"), -1)...)
	if len(ways) != 3 {
		t.Fatalf("docs/fly.md has %d ways", len(ways)-1)
	}
	for _, way := range ways {
		cfg := inForce(t, append(settingsIn(way), environ...)...)
		if _, port, _ := net.SplitHostPort(cfg.Addr); cfg.LocalStytch || port != part(t, "fly.toml", `internal_port = (\d+)`) {
			t.Errorf("it listens on %s, local Stytch %t", cfg.Addr, cfg.LocalStytch)
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
			t.Errorf("%s: %d", check.Path, v.Status)
		}
	}
	if len(fly.HTTPService.Checks) != 1 || fly.HTTPService.Checks[0].Path != "/healthz" {
		t.Errorf("requests go by %v", fly.HTTPService.Checks)
	}
}

func TestWhatIsRunOnFlyIsTheProgramOfTheImage(t *testing.T) {
	t.Parallel()
	program, known := part(t, "Dockerfile", `ENTRYPOINT \["(\S+)"\]`), 0
	sources, err := filepath.Glob("internal/cli/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(sources, "docs/fly.md") {
		for _, found := range regexp.MustCompile(`fly ssh console -\S+ ["'](\S+?)["' ]`).FindAllStringSubmatch(readText(t, path), -1) {
			if known++; found[1] != program { // it is in no folder of the PATH
				t.Errorf("%s: there is no %s, but %s", path, found[1], program)
			}
		}
	}
	if known < 3 {
		t.Errorf("only %d commands were found", known)
	}
}

func TestTheVolumeOnFlyIsWhereTheListIs(t *testing.T) {
	t.Parallel()
	mounts := readFly(t, part(t, "docs/fly.md", "(?s)```toml(.*?)```")).Mounts
	cfg := inForce(t, settingsIn(part(t, "docs/fly.md", `(?s)## With SQLite.*?(fly secrets set.*?\n\n)`))...)
	if folder := filepath.Dir(strings.TrimPrefix(cfg.DatabaseURL, "sqlite:")); mounts.Destination != folder {
		t.Errorf("the volume is at %s, the list in %s", mounts.Destination, folder)
	}
	if volume := part(t, "Dockerfile", `VOLUME (\S+)`); mounts.Destination != volume {
		t.Errorf("the image has a folder for it at %s", volume) // that its user may write to
	}
}

func TestComposeIsLocalModeBehindItsDoor(t *testing.T) {
	t.Parallel()
	services := readCompose(t).Services
	var environ []string
	for name, value := range services["guestlist"].Environment {
		environ = append(environ, name+"="+value)
	}
	cfg := inForce(t, environ...)
	if !cfg.LocalMode() {
		t.Error("it is not in local mode")
	}
	if admins := cfg.Admins; cfg.FirstAdmin() || len(admins) != 1 || !strings.Contains(readText(t, "docs/deploying.md"), "invites `"+admins[0]+"`") {
		t.Errorf("the administrators are %q, and whoever comes first: %v", admins, cfg.FirstAdmin())
	}
	if _, err := os.Stat(filepath.Join("deploy", services["guestlist"].Build, "Dockerfile")); err != nil {
		t.Error(err)
	}
	if to := part(t, "deploy/compose.yaml", `--to (\S+)`); to != cfg.Addr {
		t.Errorf("the door leads to %s, it listens on %s", to, cfg.Addr)
	}
	from := part(t, "deploy/compose.yaml", `--from :(\d+)`)
	if want := []string{"127.0.0.1:" + cfg.BaseURL.Port() + ":" + from, "127.0.0.1:8025:8025"}; !slices.Equal(services["door"].Ports, want) {
		t.Errorf("published are %q, want %q", services["door"].Ports, want)
	}
	for name, service := range services {
		if name != "door" && (service.NetworkMode != "service:door" || service.Ports != nil) {
			t.Errorf("%s is not behind the door", name)
		}
	}
}

func TestTheDatabaseOfComposeIsTheOneTested(t *testing.T) {
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
		t.Errorf("deploy/compose.yaml has %s, tested is %s", image, version)
	}
	t.Skipf("here it is %s, not %s", version, image)
}

func TestTheImageIsBuiltByTheGoOfTheModule(t *testing.T) {
	t.Parallel()
	if image, module := part(t, "Dockerfile", `golang:(\S+)`), part(t, "go.mod", `(?m)^go (\d+\.\d+)`); image != module {
		t.Errorf("Dockerfile has Go %s, go.mod %s", image, module)
	}
	if port, cfg := part(t, "Dockerfile", `EXPOSE (\d+)`), inForce(t); !strings.HasSuffix(cfg.Addr, ":"+port) {
		t.Errorf("it exposes %s, and listens on %s", port, cfg.Addr)
	}
}

func TestGCSettings_AreTheSameInEveryDeployment(t *testing.T) {
	t.Parallel()
	fly := readFly(t, "")
	got := map[string][2]string{"fly.toml": {fly.Env["GOGC"], fly.Env["GOMEMLIMIT"]}}
	for path, prefix := range map[string]string{"Dockerfile": `(?m)^ENV.*\b`, "deploy/guestlist.service": `(?m)^Environment=.*\b`, "tools/bench/product.go": `"`} {
		got[path] = [2]string{part(t, path, prefix+`GOGC=(\w+)`), part(t, path, prefix+`GOMEMLIMIT=(\w+)`)}
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

// afterwards is how long Close may take: a call to Stytch that was begun and the
// note of it, callTimeout in internal/outbox twice.
const afterwards = 16 * time.Second

func TestWhoStopsTheProgramGivesItTheTimeItNeeds(t *testing.T) {
	t.Parallel()
	fly, compose := readFly(t, ""), readCompose(t)
	unit := part(t, "deploy/guestlist.service", `(?m)^TimeoutStopSec=(\d+)$`) + "s"
	given := map[string]string{
		"fly.toml": (time.Duration(fly.KillTimeout) * time.Second).String(), "deploy/compose.yaml": compose.Services["guestlist"].StopGracePeriod,
		"deploy/guestlist.service": unit, "docs/deploying.md": part(t, "docs/deploying.md", `--stop-timeout (\d+)`) + "s",
	}
	for file, text := range given {
		if grace, err := time.ParseDuration(text); err != nil || grace <= httpserver.ConnGrace+httpserver.ShutdownTimeout+afterwards {
			t.Errorf("%s gives it %s of %v (%v)", file, text, httpserver.ConnGrace+httpserver.ShutdownTimeout+afterwards, err)
		}
	}
	for file, signal := range map[string]string{"fly.toml": fly.KillSignal, "deploy/guestlist.service": part(t, "deploy/guestlist.service", `(?m)^KillSignal=(\S+)$`)} {
		if signal != "SIGTERM" { // what main listens to
			t.Errorf("%s stops it by %s", file, signal)
		}
	}
	for file, text := range map[string]string{"Dockerfile": part(t, "Dockerfile", `--timeout=(\S+)`), "deploy/compose.yaml": compose.Services["guestlist"].Healthcheck.Timeout} {
		if timeout, err := time.ParseDuration(text); err != nil || timeout <= healthcheck.Timeout {
			t.Errorf("%s gives guestlist health %s (%v)", file, text, err)
		}
	}
}
