package stytchlocal

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"regexp"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// Codes change every totpPeriod seconds. Those of the periods before and after the current
// one are accepted, because clocks differ.
const (
	totpPeriod = 30
	totpDrift  = 1
)

const qrCodeSize = 256 // in pixels

// newTOTPKey returns a random key of an authenticator app. The app shows the product and
// the user's first address.
func newTOTPKey(product string, user *account) (*otp.Key, error) {
	name := user.UserID
	if len(user.emails) > 0 {
		name = user.emails[0].Email
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: product, AccountName: name, Period: totpPeriod})
	return key, wrap("create totp key", err)
}

// drawQRCode returns the QR code that authenticator apps scan, as a data URL.
func drawQRCode(key *otp.Key) (string, error) {
	img, err := key.Image(qrCodeSize, qrCodeSize)
	if err != nil {
		return "", wrap("draw qr code", err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return "", wrap("draw qr code", err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

// stepOfCode returns the number of the period whose code it is.
func stepOfCode(secret, code string, now time.Time) (int64, error) {
	current := now.Unix() / totpPeriod
	for step := current - totpDrift; step <= current+totpDrift; step++ {
		valid, err := hotp.ValidateCustom(code, uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix})
		if err != nil {
			return 0, wrap("check totp code", err)
		}
		if valid {
			return step, nil
		}
	}
	return 0, errWrongTOTPCode
}

// seal encrypts the secret of an authenticator app for the database. It can be opened only
// with the same id.
func (p *project) seal(totpID, secret string) string {
	aead := p.secretCipher()
	nonce := randomBytes(aead.NonceSize())
	return base64.StdEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(secret), []byte(totpID)))
}

func (p *project) open(totpID, sealed string) (string, error) {
	aead := p.secretCipher()
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err == nil && len(text) < aead.NonceSize() {
		err = errors.New("too short")
	}
	if err == nil {
		text, err = aead.Open(nil, text[:aead.NonceSize()], text[aead.NonceSize():], []byte(totpID))
	}
	return string(text), wrap("read secret of "+totpID, err)
}

func (p *project) secretCipher() cipher.AEAD {
	block, err := aes.NewCipher(p.derive("authenticator apps"))
	if err != nil {
		panic(err) // only if the key is not of 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only if the block is not of 16 bytes
	}
	return aead
}

// recoveryCode is a recovery code in the database.
type recoveryCode struct {
	ID     string `json:"id"`
	Hash   string `json:"hash"`
	UsedAt int64  `json:"used_at,omitempty"` // 0 if it was not used
}

const maxRecoveryCodes = 10

// recoveryAlphabet are the characters of recovery codes, without those that look alike. As
// there are 32, five bits select one.
const recoveryAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

var recoveryCodePattern = regexp.MustCompile(`^[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}$`)

// newRecoveryCodes returns codes of 60 random bits, such as abcd-efgh-2345.
func newRecoveryCodes() []string {
	codes := make([]string, maxRecoveryCodes)
	for i := range codes {
		text := randomBytes(12)
		for j, b := range text {
			text[j] = recoveryAlphabet[b&31]
		}
		codes[i] = fmt.Sprintf("%s-%s-%s", text[:4], text[4:8], text[8:])
	}
	return codes
}

func (p *project) hashRecoveryCode(totpID, code string) string {
	mac := hmac.New(sha256.New, p.derive("recovery codes"))
	fmt.Fprintf(mac, "%s %s", totpID, code)
	return hex.EncodeToString(mac.Sum(nil))
}

// hashRecoveryCodes returns what the database keeps of recovery codes.
func (s *Server) hashRecoveryCodes(totpID string, codes []string) (string, error) {
	rows := make([]recoveryCode, len(codes))
	for i, code := range codes {
		rows[i] = recoveryCode{ID: newID("totp-recovery-code"), Hash: s.project.hashRecoveryCode(totpID, code)}
	}
	text, err := json.Marshal(rows)
	return string(text), wrap("write recovery codes", err)
}

// spendRecoveryCode marks a recovery code as used and returns the factor. The user is
// locked, so that a code works once.
func (s *Server) spendRecoveryCode(ctx context.Context, q *dbsqlc.Queries, userID, totpID, code string) (factor, error) {
	row, err := q.GetTOTPOfUser(ctx, userID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.TotpID != totpID {
		return factor{}, errNoTOTPs // deleted or replaced since it was read
	}
	if err != nil {
		return factor{}, wrap("get totp", err)
	}
	var codes []recoveryCode
	if err := json.Unmarshal([]byte(row.RecoveryCodes), &codes); err != nil {
		return factor{}, wrap("read recovery codes", err)
	}
	hash := s.project.hashRecoveryCode(totpID, code)
	var used *recoveryCode
	for i := range codes {
		if equal(codes[i].Hash, hash) && codes[i].UsedAt == 0 {
			used = &codes[i]
		}
	}
	if used == nil {
		return factor{}, errWrongRecoveryCode
	}
	used.UsedAt = s.now()
	text, err := json.Marshal(codes)
	if err != nil {
		return factor{}, wrap("write recovery codes", err)
	}
	_, err = q.SetRecoveryCodes(ctx, dbsqlc.SetRecoveryCodesParams{RecoveryCodes: string(text), TotpID: totpID})
	return factor{Type: "recovery_codes", DeliveryMethod: "recovery_code", RecoveryCode: &recoveryFactor{RecoveryCodeID: used.ID}},
		wrap("use recovery code", err)
}
