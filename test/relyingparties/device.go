package relyingparties

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/guestlist/guestlist/test/harness"
)

// deviceTool is a program without a browser, which shows a person an address and a code. It gets tokens
// once they have entered the code there.
type deviceTool struct {
	name   string
	public bool // has no secret
	start  func(t *testing.T, r registration) deviceClient
}

// deviceClient is such a program for one person.
type deviceClient interface {
	// begin returns the address and the code that the program shows, and a function that waits for tokens.
	begin(t *testing.T) (address, code string, wait func() error)

	// accessToken returns an access token: the one that the program has, or a new one for its refresh
	// token. The error is not nil if Guestlist refuses the refresh.
	accessToken(refresh bool) (string, error)
}

// deviceTools lists all of them.
var deviceTools = []deviceTool{
	{"golang.org/x/oauth2", true, startGoDevice}, // which never sends its secret to the first endpoint
	{"oidc-agent", false, startOIDCAgent},
}

// goDevice is a program with golang.org/x/oauth2.
type goDevice struct {
	ctx    context.Context
	config oauth2.Config
	token  *oauth2.Token
}

func startGoDevice(t *testing.T, r registration) deviceClient {
	return &goDevice{ctx: t.Context(), config: oauth2.Config{
		ClientID: r.clientID, ClientSecret: r.secret, Scopes: strings.Fields(allScopes),
		Endpoint: oauth2.Endpoint{DeviceAuthURL: r.issuer + "/oauth/device", TokenURL: r.issuer + "/oauth/token"},
	}}
}

func (d *goDevice) begin(t *testing.T) (address, code string, wait func() error) {
	t.Helper()
	begun, err := d.config.DeviceAuth(d.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return begun.VerificationURI, begun.UserCode, func() error {
		d.token, err = d.config.DeviceAccessToken(d.ctx, begun)
		return err
	}
}

func (d *goDevice) accessToken(refresh bool) (string, error) {
	if refresh {
		token, err := d.config.TokenSource(d.ctx, &oauth2.Token{RefreshToken: d.token.RefreshToken}).Token()
		if err != nil {
			return "", err
		}
		d.token = token
	}
	return d.token.AccessToken, nil
}

// oidcAgent is oidc-agent with its programs oidc-gen and oidc-token.
type oidcAgent struct {
	registration
	dir string
	env []string
}

func startOIDCAgent(t *testing.T, r registration) deviceClient {
	path := harness.FindPeer(t, "oidc-agent", "oidc-agent")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "accounts"), 0o700); err != nil {
		t.Fatal(err)
	}
	agent := &oidcAgent{registration: r, dir: dir, env: append(os.Environ(), "HOME="+dir, "OIDC_CONFIG_DIR="+filepath.Join(dir, "accounts"),
		"OIDC_ENCRYPTION_PW=a password of the tests", "OIDC_SOCK="+filepath.Join(dir, "agent"))}
	// It leaves a process behind, whose ID it prints. It must not ask the person again after a refusal.
	out, err := agent.command(t.Context(), path, "--no-autoload", "--no-autoreauthenticate", "--json", "--socket-path="+filepath.Join(dir, "agent")).Output()
	if err != nil {
		t.Fatalf("oidc-agent: %v: %s", err, out)
	}
	var started struct {
		PID string `json:"dpid"`
	}
	if err := json.Unmarshal(out, &started); err != nil {
		t.Fatalf("oidc-agent: %v: %s", err, out)
	}
	agent.env = append(agent.env, "OIDCD_PID="+started.PID)
	t.Cleanup(func() { agent.command(context.Background(), path, "--kill").Run() })
	return agent
}

func (agent *oidcAgent) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir = agent.env, agent.dir
	return cmd
}

// shownCode matches what oidc-gen shows.
var shownCode = regexp.MustCompile(`visit:\s+(\S+)\s+And enter the code:\s+(\S+)`)

func (agent *oidcAgent) begin(t *testing.T) (address, code string, wait func() error) {
	t.Helper()
	out := &harness.Log{}
	cmd := agent.command(t.Context(), "oidc-gen", "--manual", "--iss="+agent.issuer, "--client-id="+agent.clientID, "--client-secret="+agent.secret,
		"--scope="+allScopes, "--flow=device", "--pw-env", "--prompt=none", "--no-url-call", "person")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var shown []string
	harness.Eventually(t, "a code from oidc-gen", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("oidc-gen: %v: %s", err, out)
		default:
		}
		shown = shownCode.FindStringSubmatch(out.String())
		return shown != nil
	})
	return shown[1], shown[2], func() error {
		if err := <-ended; err != nil {
			return errors.New(out.String())
		}
		return nil
	}
}

func (agent *oidcAgent) accessToken(refresh bool) (string, error) {
	args := []string{"person"}
	if refresh {
		args = append(args, "--force-new")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := agent.command(ctx, "oidc-token", args...).CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return strings.TrimSpace(string(out)), nil
}
