package peers

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// pattern matches header names, as in Envoy's configuration.
type pattern struct {
	Exact, Prefix string
	SafeRegex     struct{ Regex string } `yaml:"safe_regex"`
}

// matches reports whether the pattern matches a name in lower case.
func (p pattern) matches(name string) bool {
	switch {
	case p.Exact != "":
		return name == p.Exact
	case p.Prefix != "":
		return strings.HasPrefix(name, p.Prefix)
	}
	return regexp.MustCompile("^(?:" + p.SafeRegex.Regex + ")$").MatchString(name)
}

// envoyFilter has the parts of an HTTP filter's configuration that the emulation follows.
type envoyFilter struct {
	Name        string
	TypedConfig struct {
		Mutations struct {
			RequestMutations []struct{ Remove string } `yaml:"request_mutations"`
		}
		AllowedHeaders struct{ Patterns []pattern } `yaml:"allowed_headers"`
		HTTPService    struct {
			PathPrefix            string `yaml:"path_prefix"`
			AuthorizationResponse struct {
				AllowedUpstreamHeaders struct{ Patterns []pattern } `yaml:"allowed_upstream_headers"`
				AllowedClientHeaders   struct{ Patterns []pattern } `yaml:"allowed_client_headers"`
			} `yaml:"authorization_response"`
		} `yaml:"http_service"`
	} `yaml:"typed_config"`
}

// envoy emulates Envoy's ext_authz filter with an HTTP service, because Envoy can't be had as a Go
// module or from Debian. It follows the configuration in the docs and
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/ext_authz_filter.
type envoy struct {
	t             testing.TB
	to            addresses
	removed       []string
	authorization envoyFilter
	client        http.Client
}

// startEnvoy starts the emulation.
func startEnvoy(t testing.TB, to addresses, c certificate) {
	e := &envoy{t: t, to: to, client: http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	var filters []envoyFilter
	if err := yaml.Unmarshal([]byte(snippet(t, "yaml", "envoy.filters.http.ext_authz")), &filters); err != nil {
		t.Fatal(err)
	}
	for _, mutation := range filters[0].TypedConfig.Mutations.RequestMutations {
		e.removed = append(e.removed, mutation.Remove)
	}
	e.authorization = filters[1]
	listener, err := tls.Listen("tcp", to.proxy, &tls.Config{Certificates: []tls.Certificate{c.pair}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(e)
	server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(func() {
		e.client.CloseIdleConnections()
		server.Close()
	})
}

func (e *envoy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var upstream string
	switch strings.ToLower(r.Host) {
	case peopleHost:
		e.forward(w, r, e.to.people)
		return
	case wikiHost:
		upstream = e.to.wiki
	case boardHost:
		upstream = e.to.board
	default:
		http.Error(w, "", http.StatusNotFound)
		return
	}
	for _, name := range e.removed {
		r.Header.Del(name)
	}
	config := e.authorization.TypedConfig
	check, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+e.to.people, nil)
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	check.URL.Path = config.HTTPService.PathPrefix + r.URL.Path
	check.URL.RawPath = config.HTTPService.PathPrefix + r.URL.EscapedPath()
	check.URL.RawQuery = r.URL.RawQuery
	check.Host = r.Host
	copyHeaders(check.Header, r.Header, config.AllowedHeaders.Patterns)
	check.Header.Set("X-Forwarded-For", "127.0.0.1")
	check.Header.Set("X-Forwarded-Proto", "https")
	if authorization := r.Header["Authorization"]; authorization != nil {
		check.Header["Authorization"] = authorization
	}
	answer, err := e.client.Do(check)
	if err != nil {
		http.Error(w, "", http.StatusServiceUnavailable) // status_on_error
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		copyHeaders(w.Header(), answer.Header, config.HTTPService.AuthorizationResponse.AllowedClientHeaders.Patterns)
		w.WriteHeader(answer.StatusCode)
		io.Copy(w, answer.Body)
		return
	}
	for name := range strings.SplitSeq(answer.Header.Get("X-Envoy-Auth-Headers-To-Remove"), ",") {
		r.Header.Del(strings.TrimSpace(name))
	}
	copyHeaders(r.Header, answer.Header, config.HTTPService.AuthorizationResponse.AllowedUpstreamHeaders.Patterns)
	e.forward(w, r, upstream)
}

// copyHeaders sets the headers in to that match one of the patterns.
func copyHeaders(to, from http.Header, patterns []pattern) {
	for name, values := range from {
		if slices.ContainsFunc(patterns, func(p pattern) bool { return p.matches(strings.ToLower(name)) }) {
			to[name] = values
		}
	}
}

// forward sends the request on. Identity headers are kept even if Connection names them: Envoy removes
// such headers before its filters run.
func (e *envoy) forward(w http.ResponseWriter, r *http.Request, to string) {
	proxy := httputil.ReverseProxy{
		Rewrite: func(out *httputil.ProxyRequest) {
			out.Out.URL.Scheme, out.Out.URL.Host = "http", to
			out.Out.Header["X-Forwarded-For"] = []string{"127.0.0.1"}
			for name, values := range r.Header {
				if strings.HasPrefix(name, "Remote-") || name == "X-Guestlist-Jwt" {
					out.Out.Header[name] = values
				}
			}
		},
		ErrorLog: log.New(&bytes.Buffer{}, "", 0),
	}
	proxy.ServeHTTP(w, r)
}
