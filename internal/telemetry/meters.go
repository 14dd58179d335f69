package telemetry

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// buckets are the upper bounds of the duration histograms, in seconds.
var buckets = []float64{.00025, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// meters holds the counters and histograms. A nil meters records nothing.
type meters struct {
	set *metrics.Set
	now func() time.Time

	requests       *vec[requestKey, *metrics.Counter]
	requestSeconds *vec[string, *metrics.PrometheusHistogram]
	querySeconds   *vec[string, *metrics.PrometheusHistogram]
	queryErrors    *vec[string, *metrics.Counter]
	calls          *vec[callKey, *metrics.Counter]
	callSeconds    *vec[string, *metrics.PrometheusHistogram]
	signIns        *vec[string, *metrics.Counter]
	tokenRequests  *vec[tokenKey, *metrics.Counter]
}

type requestKey struct {
	route  string
	status int
}

type callKey struct{ method, outcome string }

type tokenKey struct{ grant, result string }

func newMeters(o Options) *meters {
	metrics.ExposeMetadata(true) // write the # TYPE lines
	set := metrics.NewSet()
	seconds := func(name, label string) *vec[string, *metrics.PrometheusHistogram] {
		return newVec(func(value string) *metrics.PrometheusHistogram {
			return set.GetOrCreatePrometheusHistogramExt(fmt.Sprintf("%s{%s=%q}", name, label, value), buckets)
		})
	}
	count := func(name, label string) *vec[string, *metrics.Counter] {
		return newVec(func(value string) *metrics.Counter {
			return set.GetOrCreateCounter(fmt.Sprintf("%s{%s=%q}", name, label, value))
		})
	}
	set.NewGauge(fmt.Sprintf("guestlist_build_info{version=%q,go_version=%q}", o.Version, runtime.Version()), func() float64 { return 1 })
	return &meters{
		set: set, now: o.Now,
		requests: newVec(func(a requestKey) *metrics.Counter {
			return set.GetOrCreateCounter(fmt.Sprintf(`guestlist_http_requests_total{route=%q,code="%d"}`, a.route, a.status))
		}),
		requestSeconds: seconds("guestlist_http_request_duration_seconds", "route"),
		querySeconds:   seconds("guestlist_db_query_duration_seconds", "query"),
		queryErrors:    count("guestlist_db_query_errors_total", "query"),
		calls: newVec(func(c callKey) *metrics.Counter {
			return set.GetOrCreateCounter(fmt.Sprintf("guestlist_stytch_calls_total{method=%q,outcome=%q}", c.method, c.outcome))
		}),
		callSeconds: seconds("guestlist_stytch_call_duration_seconds", "method"),
		signIns:     count("guestlist_sign_ins_total", "outcome"),
		tokenRequests: newVec(func(k tokenKey) *metrics.Counter {
			return set.GetOrCreateCounter(fmt.Sprintf("guestlist_openid_token_requests_total{grant=%q,result=%q}", k.grant, k.result))
		}),
	}
}

func (m *meters) request(route string, status int, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = "none"
	}
	m.requests.with(requestKey{route, status}).Inc()
	m.requestSeconds.with(route).Update(took.Seconds())
}

func (m *meters) query(name string, failed bool, took time.Duration) {
	if m == nil {
		return
	}
	m.querySeconds.with(name).Update(took.Seconds())
	if failed {
		m.queryErrors.with(name).Inc()
	}
}

func (m *meters) call(method, outcome string, took time.Duration) {
	if m == nil {
		return
	}
	m.calls.with(callKey{method, outcome}).Inc()
	m.callSeconds.with(method).Update(took.Seconds())
}

func (m *meters) signIn(outcome string) {
	if m != nil {
		m.signIns.with(outcome).Inc()
	}
}

func (m *meters) tokenRequest(grant, result string) {
	if m != nil {
		m.tokenRequests.with(tokenKey{grant, result}).Inc()
	}
}

// vec is a set of metrics with one name and different labels. They are created on first
// use; the library's own lookup by name costs more than counting.
type vec[K comparable, M any] struct {
	create func(K) M
	mu     sync.RWMutex
	byKey  map[K]M
}

func newVec[K comparable, M any](create func(K) M) *vec[K, M] {
	return &vec[K, M]{create: create, byKey: map[K]M{}}
}

func (v *vec[K, M]) with(key K) M {
	v.mu.RLock()
	m, ok := v.byKey[key]
	v.mu.RUnlock()
	if !ok {
		m = v.create(key) // returns the existing metric if another goroutine has created it
		v.mu.Lock()
		v.byKey[key] = m
		v.mu.Unlock()
	}
	return m
}
