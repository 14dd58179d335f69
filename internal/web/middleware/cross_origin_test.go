package middleware

import (
	"net/http/httptest"
	"net/url"
	"testing"
)

// The rows are for a browser without Sec-Fetch-Site.
func TestIsSameOrigin_ComparesSchemeAndHostOfOrigin(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, base, host, origin string
		allowed                  bool
	}{
		{"the base URL", "https://people.example.com", "people.example.com", "https://people.example.com", true},
		{"the base URL's host by http", "https://people.example.com", "people.example.com", "http://people.example.com", false},
		{"the host that a proxy asks for, by http", "https://people.example.com", "10.0.0.7:8080", "http://10.0.0.7:8080", false},
		{"the host that a proxy asks for, by https", "https://people.example.com", "people.internal", "https://people.internal", true},
		{"the scheme's own port named", "https://people.example.com", "people.example.com", "https://people.example.com:443", true},
		{"the scheme's own port in the base URL", "https://people.example.com:443", "people.example.com", "https://people.example.com", true},
		{"the other scheme's port", "https://people.example.com", "people.example.com", "https://people.example.com:80", false},
		{"another port", "https://people.example.com", "people.example.com", "https://people.example.com:8443", false},
		{"http where the base URL is http", "http://people.example.com", "people.example.com", "http://people.example.com:80", true},
		{"https where the base URL is http", "http://people.example.com", "people.example.com", "https://people.example.com", false},
		{"null", "https://people.example.com", "people.example.com", "null", false},
		{"a path", "https://people.example.com", "people.example.com", "https://people.example.com/", false},
		{"a file", "https://people.example.com", "people.example.com", "file://", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			base, err := url.Parse(test.base)
			if err != nil {
				t.Fatal(err)
			}
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "TRACE", "MADEUP"} {
				r := httptest.NewRequest(method, "/signout", nil)
				r.Host = test.host
				r.Header.Set("Origin", test.origin)
				if got := IsSameOrigin(r.Method, r.Header, r.Host, base); got != test.allowed {
					t.Errorf("%s is allowed: %t", method, got)
				}
			}
			for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
				r := httptest.NewRequest(method, "/users", nil)
				r.Header.Set("Origin", test.origin)
				if !IsSameOrigin(r.Method, r.Header, r.Host, base) {
					t.Errorf("%s is refused", method)
				}
			}
		})
	}
}
