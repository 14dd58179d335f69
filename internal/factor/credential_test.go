package factor

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// authenticatorData returns authenticator data with flags and more after the counter.
func authenticatorData(flags byte, more ...byte) string {
	data := make([]byte, aaguidOffset)
	data[flagsOffset] = flags
	return base64.RawURLEncoding.EncodeToString(append(data, more...))
}

var (
	verified   = authenticatorData(0x05)
	unverified = authenticatorData(0x01)
)

// used returns a passkey that was used, with members that end its response.
func used(data string, more string) string {
	return fmt.Sprintf(`{"id":"AQID","rawId":"AQID","type":"public-key","clientExtensionResults":{"appid":true},"response":{"clientDataJSON":"e30","authenticatorData":%q,"signature":"c2ln","userHandle":"dXNlcg"%s}}`, data, more)
}

func TestParseCredential(t *testing.T) {
	t.Parallel()
	icloud := []byte{0xfb, 0xfc, 0x30, 0x07, 0x15, 0x4e, 0x4e, 0xcc, 0x8c, 0x0b, 0x6e, 0x02, 0x05, 0x57, 0xd7, 0xbd}
	made := `{"type":"public-key","response":{"transports":["internal"],"publicKeyAlgorithm":-7,"publicKey":"cGs","attestationObject":"YXR0","clientDataJSON":"e30","authenticatorData":"` +
		authenticatorData(0x45, icloud...) + `"},"rawId":"AQID","id":"AQID","authenticatorAttachment":"platform"}`
	for name, c := range map[string]struct {
		text, id, authenticator string
	}{
		"used":                                {used(verified, ""), "AQID", ""},
		"made":                                {made, "AQID", "iCloud Keychain"},
		"used, a name is only read when made": {used(authenticatorData(0x05, icloud...), ""), "AQID", ""},
		"the longest id":                      {strings.Replace(used(verified, ""), "AQID", strings.Repeat("A", 1364), 1), strings.Repeat("A", 1364), ""},
		"members of a later specification":    {used(verified, `,"later":{"x":[1]}`), "AQID", ""},
	} {
		got, err := ParseCredential(c.text)
		if err != nil || got.ID != c.id || got.Authenticator != c.authenticator {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		again, err := ParseCredential(got.JSON)
		if diff := cmp.Diff(got, again); diff != "" || err != nil {
			t.Errorf("%s: what the provider gets reads otherwise: %v\n%s", name, err, diff)
		}
	}
	if got, _ := ParseCredential(used(verified, "")); got.JSON != used(verified, "") {
		t.Errorf("the provider gets %s", got.JSON)
	}
}

func TestParseCredential_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"its user wasn't verified": {used(unverified, ""), ErrUserVerification},
		"nothing":                  {"", ErrCredential},
		"no object":                {`"passkey"`, ErrCredential},
		"null":                     {"null", ErrCredential},
		"no members":               {"{}", ErrCredential},
		"no id":                    {strings.Replace(used(verified, ""), `"AQID"`, `""`, 1), ErrCredential},
		"an id in standard base64": {strings.Replace(used(verified, ""), `"AQID"`, `"AQI+"`, 1), ErrCredential},
		"an id too long":           {strings.Replace(used(verified, ""), "AQID", strings.Repeat("A", 1368), 1), ErrCredential},
		"markup as an id":          {strings.Replace(used(verified, ""), `"AQID"`, `"<script>"`, 1), ErrCredential},
		"data cut off":             {used(base64.RawURLEncoding.EncodeToString(make([]byte, 32)), ""), ErrCredential},
		"data in standard base64":  {used("++++"+verified, ""), ErrCredential},
		"a number as data":         {strings.Replace(used(verified, ""), `"`+verified+`"`, "5", 1), ErrCredential},
		"more after it":            {used(verified, "") + "{}", ErrCredential},
		"too long":                 {used(verified, `,"later":"`+strings.Repeat("x", maxCredential)+`"`), ErrCredential},
		"not UTF-8":                {used(verified, ",\"later\":\"\xff\""), ErrCredential},
		"data twice":               {used(unverified, `,"authenticatorData":"`+verified+`"`), ErrCredential},
		"a response twice":         {strings.TrimSuffix(used(unverified, ""), "}") + `,"response":{"authenticatorData":"` + verified + `"}}`, ErrCredential},
	} {
		if got, err := ParseCredential(c.text); !errors.Is(err, c.want) || got != (Credential{}) {
			t.Errorf("%s: got %+v, %v, want %v", name, got, err, c.want)
		}
	}
}

// A provider that doesn't mind the case of names must not read other data than was checked.
func TestParseCredential_DropsNamesInOtherLetters(t *testing.T) {
	t.Parallel()
	got, err := ParseCredential(used(verified, `,"authenticatordata":"`+unverified+`","SIGNATURE":"eA"`))
	if err != nil || strings.Contains(got.JSON, unverified) || strings.Contains(got.JSON, "eA") {
		t.Errorf("got %s, %v", got.JSON, err)
	}
	if _, err := ParseCredential(used(unverified, `,"authenticatordata":"`+verified+`"`)); !errors.Is(err, ErrUserVerification) {
		t.Errorf("got %v, want ErrUserVerification", err)
	}
}
