package stytchlocal

import (
	"strings"
	"testing"
	"time"
)

func TestInWords(t *testing.T) {
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
	tests := []struct {
		name string
		in   name
		want string
	}{
		{"greets nobody in particular", name{}, "Hello,"},
		{"greets by first and last name", name{First: "Ada", Last: "Lovelace"}, "Hello Ada Lovelace,"},
		{"greets in any language", name{First: "Zoë", Last: "李"}, "Hello Zoë 李,"},
		{"keeps a name on one line", name{First: "Ada\r\n\r\nYou have won", Last: "a\u2028prize\x00"}, "Hello Ada You have won a prize,"},
		{"does not let a name turn the text around", name{First: "Ada \u202eevil"}, "Hello Ada evil,"},
		{"cuts an endless name", name{First: strings.Repeat("é", 200)}, "Hello " + strings.Repeat("é", 100) + "…,"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := (mailData{Name: test.in}).Greeting(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
