package resilience

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// TestReadOnlyServer_IsReportedEverywhere makes the server read-only while an instance serves,
// as a failover does.
func TestReadOnlyServer_IsReportedEverywhere(t *testing.T) {
	t.Parallel()
	root := testdb.NewKillable(t).DSN(t)
	s := harness.Start(t, harness.WithPassword(t, root, ""), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	admin := harness.OpenMySQL(t, root)
	set := func(value string) {
		t.Helper()
		if _, err := admin.ExecContext(t.Context(), "SET GLOBAL read_only = "+value); err != nil {
			t.Fatal(err)
		}
	}
	command := func(args ...string) (output string) {
		t.Helper()
		err := harness.RunCommand(t.Context(), append(args, "--database-url="+s.Config.DatabaseURL), nil, strings.NewReader(""), new(bytes.Buffer), new(bytes.Buffer))
		if err == nil {
			t.Errorf("%s: no error", args)
			return ""
		}
		return err.Error()
	}
	const text = "The server is read-only."
	const advice = "DATABASE_URL points to a replica: use the address of the primary."

	set("1")
	v := harness.NewVisitor(s).Get("/readyz")
	if want := `{"status":"not ready","database":"read-only","stytch":"ok"}` + "\n"; v.Status != http.StatusServiceUnavailable || v.Body != want {
		t.Errorf("/readyz: %d %s", v.Status, v.Body)
	}
	if v := ada.CallAPI("POST", "/api/invite_user", `{"email":"grace@example.com"}`); v.Status != http.StatusServiceUnavailable {
		t.Errorf("an invitation: %d %s", v.Status, v.Body)
	}
	for _, line := range []string{"not ready", "answered with an error"} {
		found := false
		for logLine := range strings.Lines(s.Log.String()) {
			found = found || strings.Contains(logLine, line) && strings.Contains(logLine, "the server is read-only")
		}
		if !found {
			t.Errorf("the log doesn't say so at %q", line)
		}
	}
	if got := command("users", "invite", "grace@example.com"); got != text+" "+advice {
		t.Errorf("users invite: %s", got)
	}
	var out bytes.Buffer
	if err := harness.RunCommand(t.Context(), []string{"doctor", "--json", "--database-url=" + s.Config.DatabaseURL}, nil, nil, &out, new(bytes.Buffer)); err == nil {
		t.Error("doctor finds no problem")
	}
	var report struct{ Findings []diagnostic.Finding }
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	reported := false
	for _, f := range report.Findings {
		reported = reported || f.Check == "writing" && f.Status == diagnostic.Problem && f.Text == text && f.Action == advice
	}
	if !reported {
		t.Errorf("doctor: %s", &out)
	}

	set("0")
	s.Clock.Advance(2 * time.Second) // readiness is cached for a second
	harness.Eventually(t, "readiness", func() bool { return harness.NewVisitor(s).Get("/readyz").Status == http.StatusOK })
	begin := time.Now()
	if v := ada.CallAPI("POST", "/api/invite_user", `{"email":"grace@example.com"}`); v.Status != http.StatusOK {
		t.Errorf("an invitation afterwards: %d %s, after %v", v.Status, v.Body, time.Since(begin))
	}
}
