package mail

import (
	"strings"
	"testing"
	"time"
)

func TestFormatLifetime(t *testing.T) {
	t.Parallel()
	tests := map[time.Duration]string{
		time.Minute: "one minute", 2 * time.Minute: "two minutes", 10 * time.Minute: "ten minutes", 90 * time.Second: "one minute",
		13 * time.Minute: "13 minutes", 59 * time.Minute: "59 minutes", time.Hour: "one hour", 90 * time.Minute: "90 minutes",
		2 * time.Hour: "two hours", 5*time.Hour + 59*time.Minute: "five hours", 24 * time.Hour: "24 hours", 47 * time.Hour: "47 hours",
		48 * time.Hour: "two days", 71 * time.Hour: "two days", 168 * time.Hour: "seven days",
	}
	for d, want := range tests {
		if got := formatLifetime(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestGreeting(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, in, want string }{
		{"no name", "  ", "Hello,"},
		{"first and last name", "Ada  Lovelace", "Hello Ada Lovelace,"},
		{"another script", "Zoë  李", "Hello Zoë 李,"},
		{"line breaks", "Ada\r\n\r\nYou have won  a\u2028prize\x00", "Hello Ada You have won a prize,"},
		{"text direction", "Ada \u202eevil", "Hello Ada evil,"},
		{"a long name", strings.Repeat("é", 200), "Hello " + strings.Repeat("é", 100) + "…,"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := greeting(row.in); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
