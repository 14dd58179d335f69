package repo

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	module = "github.com/guestlist/guestlist"
	sdkAll = "github.com/stytchauth/stytch-go/"
)

// layer says what a package may import of ours, and what it must never import of
// others: a whole path, or all below one that ends in a slash.
type layer struct{ ours, never []string }

// layers is every package there is. Data flows one way: browser, web, directory
// and session, store and stytch.
var layers = map[string]layer{
	".": {ours: []string{"internal/cli"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/cli": {ours: []string{
		"internal/retry", "internal/app", "internal/apps", "internal/buildinfo", "internal/config", "internal/diagnostic", "internal/directory", "internal/doctor", "internal/event", "internal/fault",
		"internal/healthcheck", "internal/httpserver", "internal/humanize", "internal/identity", "internal/openid", "internal/openid/recipe", "internal/reconcile", "internal/session", "internal/store", "internal/store/copying", "internal/store/inspect",
		"internal/token", "internal/userio",
	}, never: []string{sdkAll, "database/sql"}},
	"internal/app": {ours: []string{
		"internal/demo", "internal/guard", "internal/guard/proxy", "internal/netutil", "internal/identity", "internal/apps", "internal/retry", "internal/buildinfo", "internal/clock", "internal/config", "internal/directory", "internal/event", "internal/fault", "internal/humanize", "internal/openid", "internal/openid/backchannel", "internal/outbox",
		"internal/reconcile", "internal/safego", "internal/session", "internal/store", "internal/stytch", "internal/stytchlocal", "internal/stytchlocal/mail", "internal/telemetry",
		"internal/token", "internal/userio", "internal/web", "internal/web/middleware", "internal/webhooksig", "static",
	}, never: []string{sdkAll, "database/sql"}},
	"internal/buildinfo": {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/demo":      {ours: []string{"internal/identity", "static"}, never: []string{sdkAll, "database/sql"}},
	"internal/doctor": {ours: []string{
		"internal/apps", "internal/guard", "internal/identity", "internal/config", "internal/diagnostic", "internal/directory", "internal/fault", "internal/healthcheck", "internal/humanize", "internal/openid", "internal/store/inspect",
		"internal/stytch", "internal/stytchlocal/mail",
	}, never: []string{sdkAll, "database/sql"}},
	"internal/healthcheck":                   {ours: []string{"internal/config"}, never: []string{sdkAll, "database/sql"}},
	"internal/httpserver":                    {ours: []string{"internal/config", "internal/web/middleware"}, never: []string{sdkAll, "database/sql"}},
	"internal/safego":                        {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/clock":                         {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/config":                        {ours: []string{"internal/netutil"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/fault":                         {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/diagnostic":                    {ours: []string{"internal/fault"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/event":                         {ours: []string{"internal/text"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/exact":                         {never: []string{sdkAll, "net/http"}},
	"internal/digest":                        {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/ids":                           {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/netutil":                       {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/retry":                         {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/identity":                      {ours: []string{"internal/digest", "internal/directory", "internal/event", "internal/ids", "internal/retry", "internal/safego"}, never: []string{sdkAll, "database/sql"}},
	"internal/idempotency":                   {ours: []string{"internal/digest"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/limit":                         {ours: []string{"internal/digest"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/outbox":                        {ours: []string{"internal/ids", "internal/retry", "internal/safego"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/directory":                     {ours: []string{"internal/event", "internal/ids", "internal/outbox", "internal/retry", "internal/text"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/apps":                          {ours: []string{"internal/digest", "internal/directory", "internal/event", "internal/factor", "internal/ids", "internal/limit", "internal/netutil", "internal/session", "internal/text", "internal/token"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/apps/probe":                    {ours: []string{"internal/apps", "internal/netutil"}, never: []string{sdkAll, "database/sql"}},
	"internal/apps/snippet":                  {ours: []string{"internal/apps"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/factor":                        {ours: []string{"internal/directory", "internal/event", "internal/ids", "internal/outbox", "internal/text"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/session":                       {ours: []string{"internal/digest", "internal/directory", "internal/event", "internal/factor", "internal/humanize", "internal/limit", "internal/outbox", "internal/retry", "internal/safego"}, never: []string{sdkAll, "database/sql"}},
	"internal/openid":                        {ours: []string{"internal/apps", "internal/digest", "internal/directory", "internal/event", "internal/factor", "internal/humanize", "internal/identity", "internal/ids", "internal/limit", "internal/session"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/openid/backchannel":            {ours: []string{"internal/directory", "internal/outbox"}, never: []string{sdkAll, "database/sql"}},
	"internal/openid/recipe":                 {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/reconcile":                     {ours: []string{"internal/directory", "internal/event", "internal/outbox", "internal/retry", "internal/safego", "internal/session"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/userio":                        {ours: []string{"internal/directory", "internal/event", "internal/humanize", "internal/ids", "internal/retry", "internal/safego", "internal/text"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/store":                         {ours: []string{"internal/identity", "internal/apps", "internal/directory", "internal/event", "internal/exact", "internal/factor", "internal/fault", "internal/idempotency", "internal/limit", "internal/openid", "internal/outbox", "internal/reconcile", "internal/retry", "internal/session", "internal/store/inspect", "internal/store/internal/dbconn", "internal/store/internal/dbsqlc", "internal/text", "internal/token", "internal/userio", "schema"}, never: []string{sdkAll, "net/http"}},
	"internal/store/copying":                 {ours: []string{"internal/fault", "internal/store", "internal/store/inspect", "schema"}, never: []string{sdkAll, "net/http"}},
	"internal/store/inspect":                 {ours: []string{"internal/directory", "internal/event", "internal/exact", "internal/fault", "internal/netutil", "internal/store/internal/dbconn", "internal/store/internal/dbsqlc", "schema"}, never: []string{sdkAll, "net/http"}},
	"internal/store/internal/dbconn":         {ours: []string{"internal/exact", "internal/fault", "internal/netutil", "internal/text"}, never: []string{sdkAll, "net/http"}},
	"internal/store/internal/dbsqlc":         {never: []string{sdkAll, "net/http"}},
	"internal/stytch":                        {ours: []string{"internal/factor", "internal/fault", "internal/outbox", "internal/reconcile", "internal/session"}, never: []string{"database/sql"}},
	"internal/stytchlocal":                   {ours: []string{"internal/clock", "internal/digest", "internal/exact", "internal/ids", "internal/netutil", "internal/stytchlocal/faults", "internal/stytchlocal/internal/dbsqlc", "internal/stytchlocal/internal/pages", "internal/stytchlocal/internal/passkey", "internal/stytchlocal/internal/recorder", "internal/stytchlocal/internal/webhook", "internal/stytchlocal/mail", "internal/text"}, never: []string{sdkAll}},
	"internal/stytchlocal/faults":            {ours: []string{"internal/clock", "internal/retry", "internal/stytchlocal/internal/pages", "internal/stytchlocal/internal/passkey", "internal/stytchlocal/internal/recorder"}, never: []string{sdkAll, "database/sql"}},
	"internal/stytchlocal/mail":              {ours: []string{"internal/fault", "internal/humanize", "internal/ids", "internal/netutil", "internal/text"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/stytchlocal/internal/passkey":  {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/stytchlocal/internal/pages":    {never: []string{sdkAll, "database/sql"}},
	"internal/stytchlocal/internal/recorder": {never: []string{sdkAll, "database/sql"}},
	"internal/stytchlocal/internal/dbsqlc":   {never: []string{sdkAll, "net/http"}},
	"internal/stytchlocal/internal/webhook":  {ours: []string{"internal/webhooksig"}, never: []string{sdkAll, "database/sql"}},
	"internal/webhooksig":                    {never: []string{sdkAll, "database/sql"}},
	"internal/telemetry":                     {never: []string{sdkAll}},
	"internal/text":                          {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/token":                         {ours: []string{"internal/digest", "internal/directory", "internal/event", "internal/ids"}, never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/guard":                         {ours: []string{"internal/apps", "internal/directory", "internal/event", "internal/identity", "internal/session", "internal/token", "internal/web/loadshed", "internal/web/middleware", "static"}, never: []string{sdkAll, "database/sql"}},
	"internal/web":                           {ours: []string{"internal/apps", "internal/apps/probe", "internal/apps/snippet", "internal/directory", "internal/event", "internal/factor", "internal/fault", "internal/guard", "internal/humanize", "internal/idempotency", "internal/openid", "internal/openid/recipe", "internal/outbox", "internal/reconcile", "internal/session", "internal/token", "internal/userio", "internal/web/loadshed", "internal/web/middleware", "internal/webhooksig", "static"}, never: []string{sdkAll, "database/sql"}},
	"internal/web/loadshed":                  {never: []string{sdkAll, "database/sql"}},
	"internal/web/middleware":                {ours: []string{"internal/netutil", "static"}, never: []string{sdkAll, "database/sql"}},
	"internal/guard/proxy":                   {ours: []string{"internal/identity", "internal/netutil", "internal/token"}, never: []string{sdkAll, "database/sql"}},
	"internal/humanize":                      {never: []string{sdkAll, "net/http", "database/sql"}},
	"schema":                                 {never: []string{sdkAll, "net/http", "database/sql"}},
	"static":                                 {never: []string{sdkAll, "database/sql"}},

	// For the Makefile; nothing that is shipped may import them.
	"tools/release": {never: []string{sdkAll, "database/sql"}},
	"tools/pack":    {ours: []string{"static"}},
	"tools/peers":   {never: []string{sdkAll, "net/http", "database/sql"}},

	// For tests; nothing that is shipped may import them.
	"tools/bench": {ours: []string{"internal/apps", "internal/digest", "internal/directory", "internal/openid", "internal/session", "schema"}, never: []string{sdkAll}},
	"test/faults": {ours: []string{"internal/testdb"}},
	"test/harness": {ours: []string{
		"internal/app", "internal/apps", "internal/cli", "internal/config", "internal/diagnostic", "internal/directory", "internal/event", "internal/httpserver", "internal/testdb", "internal/testpage",
	}, never: []string{sdkAll}},
	"test/peers":                    {ours: []string{"internal/apps", "internal/diagnostic", "internal/directory", "internal/doctor", "internal/event", "internal/ids", "internal/testdb", "test/harness"}},
	"test/openid":                   {ours: []string{"internal/apps", "internal/openid", "internal/testpage", "test/harness"}, never: []string{sdkAll, "database/sql"}},
	"test/relyingparties":           {ours: []string{"internal/apps", "internal/event", "internal/openid", "internal/testdb", "test/harness"}},
	"test/browser":                  {},
	"test/e2e":                      {},
	"test/repo":                     {},
	"test/resilience":               {},
	"internal/session/providertest": {ours: []string{"internal/directory", "internal/event", "internal/outbox", "internal/session"}},
	"internal/store/storetest":      {ours: []string{"internal/identity", "internal/apps", "internal/directory", "internal/event", "internal/idempotency", "internal/ids", "internal/limit", "internal/openid", "internal/outbox", "internal/reconcile", "internal/session", "internal/token", "internal/userio"}},
	"internal/testdb":               {never: []string{sdkAll}},
	"internal/testpasskey":          {never: []string{sdkAll, "net/http", "database/sql"}},
	"internal/testpage":             {never: []string{sdkAll, "net/http", "database/sql"}},
}

func TestLayers_ImportsAreAllowed(t *testing.T) {
	t.Parallel()
	for pkg, imports := range listImports(t) {
		for _, broken := range brokenRules(pkg, imports) {
			t.Error(broken)
		}
	}
}

func TestLayers_ViolationsAreFound(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		pkg     string
		imports []string
		want    []string
	}{
		{"internal/directory", []string{"context", module + "/internal/outbox"}, nil},
		{"internal/directory", []string{module + "/internal/session"}, []string{"internal/directory may not import internal/session"}},
		{"internal/web", []string{"database/sql", sdkAll + "v16/stytch"}, []string{"internal/web may not import database/sql", "internal/web may not import " + sdkAll + "v16/stytch"}},
		{"internal/outbox", []string{"database/sql/driver"}, nil},
		{"internal/store", []string{module + "/internal/testdb"}, []string{"internal/store may not import internal/testdb"}},
		{"internal/new", nil, []string{"internal/new has no layer: give it one"}},
	} {
		if diff := cmp.Diff(row.want, brokenRules(module+"/"+row.pkg, row.imports)); diff != "" {
			t.Errorf("%s: %s", row.pkg, diff)
		}
	}
}

// brokenRules names the rules that a package's imports break.
func brokenRules(path string, imports []string) []string {
	pkg := ours(path)
	l, ok := layers[pkg]
	if !ok {
		return []string{pkg + " has no layer: give it one"}
	}
	var broken []string
	for _, imported := range imports {
		isOurs := imported == module || strings.HasPrefix(imported, module+"/")
		forbidden := slices.ContainsFunc(l.never, func(never string) bool {
			return imported == never || strings.HasSuffix(never, "/") && strings.HasPrefix(imported, never)
		})
		if forbidden || isOurs && !slices.Contains(l.ours, ours(imported)) {
			broken = append(broken, fmt.Sprintf("%s may not import %s", pkg, ours(imported)))
		}
	}
	return broken
}

// ours is a path without the module's.
func ours(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}
