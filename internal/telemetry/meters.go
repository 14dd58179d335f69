package telemetry

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// buckets are the upper bounds of what a duration is counted in, in seconds: from
// a query of a file to what is given up.
var buckets = []float64{.00025, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// meters are the metrics that count what happens. A nil one counts nothing.
type meters struct {
	set *metrics.Set
	now func() time.Time

	requests       vec[requestKey, *metrics.Counter]
	requestSeconds vec[string, *metrics.PrometheusHistogram]
	querySeconds   vec[string, *metrics.PrometheusHistogram]
	queryErrors    vec[string, *metrics.Counter]
	calls          vec[callKey, *metrics.Counter]
	callSeconds    vec[string, *metrics.PrometheusHistogram]
	signIns        vec[string, *metrics.Counter]
}

type requestKey struct {
	route  string
	status int
}

type callKey struct{ method, outcome string }

func newMeters(o Options) *meters {
	metrics.ExposeMetadata(true) // else nobody is told which are counters and which gauges
	set := metrics.NewSet()
	seconds := func(name, label string) vec[string, *metrics.PrometheusHistogram] {
		return newFamily(func(value string) *metrics.PrometheusHistogram {
			return set.GetOrCreatePrometheusHistogramExt(fmt.Sprintf("%s{%s=%q}", name, label, value), buckets)
		})
	}
	count := func(name, label string) vec[string, *metrics.Counter] {
		return newFamily(func(value string) *metrics.Counter {
			return set.GetOrCreateCounter(fmt.Sprintf("%s{%s=%q}", name, label, value))
		})
	}
	set.NewGauge(fmt.Sprintf("guestlist_build_info{version=%q,go_version=%q}", o.Version, runtime.Version()), func() float64 { return 1 })
	return &meters{
		set: set, now: o.Now,
		requests: newFamily(func(a requestKey) *metrics.Counter {
			return set.GetOrCreateCounter(fmt.Sprintf(`guestlist_http_requests_total{route=%q,code="%d"}`, a.route, a.status))
		}),
		requestSeconds: seconds("guestlist_http_request_duration_seconds", "route"),
		querySeconds:   seconds("guestlist_db_query_duration_seconds", "query"),
		queryErrors:    count("guestlist_db_query_errors_total", "query"),
		calls: newFamily(func(c callKey) *metrics.Counter {
			return set.GetOrCreateCounter(fmt.Sprintf("guestlist_stytch_calls_total{method=%q,outcome=%q}", c.method, c.outcome))
		}),
		callSeconds: seconds("guestlist_stytch_call_duration_seconds", "method"),
		signIns:     count("guestlist_sign_ins_total", "outcome"),
	}
}

func (m *meters) request(route string, status int, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = "none"
	}
	m.requests.of(requestKey{route, status}).Inc()
	m.requestSeconds.of(route).Update(took.Seconds())
}

func (m *meters) query(name string, failed bool, took time.Duration) {
	if m == nil {
		return
	}
	m.querySeconds.of(name).Update(took.Seconds())
	if failed {
		m.queryErrors.of(name).Inc()
	}
}

func (m *meters) call(method, outcome string, took time.Duration) {
	if m == nil {
		return
	}
	m.calls.of(callKey{method, outcome}).Inc()
	m.callSeconds.of(method).Update(took.Seconds())
}

func (m *meters) signIn(outcome string) {
	if m != nil {
		m.signIns.of(outcome).Inc()
	}
}

// vec is the metrics of one name by what tells them apart, each made when it is
// first needed: to find one by its text would cost more than to count.
type vec[K comparable, M any] struct {
	create func(K) M
	mu     *sync.RWMutex
	known  map[K]M
}

func newFamily[K comparable, M any](create func(K) M) vec[K, M] {
	return vec[K, M]{create, &sync.RWMutex{}, map[K]M{}}
}

func (f *vec[K, M]) of(key K) M {
	f.mu.RLock()
	m, ok := f.known[key]
	f.mu.RUnlock()
	if ok {
		return m
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if m, ok = f.known[key]; !ok {
		m = f.create(key)
		f.known[key] = m
	}
	return m
}
