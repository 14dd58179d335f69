package stytchlocal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// smtpTimeout is how long handing a mail over may take, from dialling to the
// server's last word.
const smtpTimeout = 10 * time.Second

// smtpMailer hands each mail to an SMTP server on a connection of its own.
type smtpMailer struct {
	host           string
	port           int
	user, password string
	from           *mail.Address
	implicitTLS    bool // smtps: TLS from the first byte
	startTLS       bool // refuse to go on without
	tls            *tls.Config
}

// NewSMTP returns a Mailer for an SMTP server: smtp://user:password@host:587,
// where the server must offer STARTTLS unless it is on this machine, or
// smtps://user:password@host:465. The ports shown are the defaults; user and
// password may be left out. from is the sender, as in "Guestlist
// <login@example.com>". The server is not asked anything yet.
func NewSMTP(smtpURL, from string) (Mailer, error) {
	return newSMTP(smtpURL, from)
}

func newSMTP(smtpURL, from string) (*smtpMailer, error) {
	u, err := url.Parse(smtpURL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		// url's own text would hold the password.
		return nil, errors.New("must look like smtp://user:password@host:587 or smtps://user:password@host:465")
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("must end after host and port")
	}
	m := &smtpMailer{host: u.Hostname(), port: 587, user: u.User.Username(), implicitTLS: u.Scheme == "smtps"}
	m.password, _ = u.User.Password()
	if m.implicitTLS {
		m.port = 465
	}
	if u.Port() != "" {
		if m.port, err = strconv.Atoi(u.Port()); err != nil || m.port < 1 || m.port > 65535 {
			return nil, errors.New("has a port that is none")
		}
	}
	if m.from, err = mail.ParseAddress(from); err != nil {
		return nil, fmt.Errorf("the sender %q must look like Guestlist <login@example.com>", from)
	}
	m.startTLS = !m.implicitTLS && !isLoopbackName(m.host)
	m.tls = &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}
	return m, nil
}

func isLoopbackName(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Send hands the mail over and returns nil once the server has taken it.
func (m *smtpMailer) Send(ctx context.Context, letter Mail) error {
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	message, err := m.message(letter)
	if err != nil {
		return err
	}
	client, err := m.client(ctx)
	if err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("smtp: dial: %w", err)
	}
	// Once the server has said yes, a connection that ends badly changes nothing:
	// an error here would mean a second mail. The library says more than QUIT then.
	defer client.CloseWithSMTPClient(connection)
	if err := client.SendWithSMTPClient(connection, message); err != nil && !message.IsDelivered() {
		return fmt.Errorf("smtp: %w", err)
	}
	return nil
}

func (m *smtpMailer) message(letter Mail) (*gomail.Msg, error) {
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	out.FromMailAddress(m.from)
	if err := out.To(letter.To); err != nil {
		return nil, fmt.Errorf("smtp: recipient: %w", err)
	}
	_, domain, _ := strings.Cut(m.from.Address, "@")
	out.SetMessageIDWithValue(letter.ID + "@" + domain)
	out.SetDateWithValue(letter.Date)
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	out.Subject(letter.Subject)
	out.SetBodyString(gomail.TypeTextPlain, letter.Text)
	out.AddAlternativeString(gomail.TypeTextHTML, letter.HTML)
	return out, nil
}

// client returns a client for one mail. Its connection is closed when ctx ends:
// the library's own timeout begins anew with each step.
func (m *smtpMailer) client(ctx context.Context) (*gomail.Client, error) {
	policy := gomail.NoTLS
	if m.startTLS {
		policy = gomail.TLSMandatory
	}
	options := []gomail.Option{
		gomail.WithPort(m.port), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(m.tls), gomail.WithTimeout(smtpTimeout),
		gomail.WithoutSMTPUTF8(), // addresses are ASCII; asking for it could make a relay refuse them
		gomail.WithDialContextFunc(func(dial context.Context, network, address string) (net.Conn, error) {
			connection, err := m.dial(dial, network, address)
			if err == nil {
				context.AfterFunc(ctx, func() { connection.Close() })
			}
			return connection, err
		}),
	}
	if m.user != "" {
		// "-NOENC" because the library doesn't see the TLS of smtps; off this machine
		// there is TLS by now, or the connection has ended.
		options = append(options, gomail.WithUsername(m.user), gomail.WithPassword(m.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc))
	}
	return gomail.NewClient(m.host, options...)
}

func (m *smtpMailer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if m.implicitTLS {
		return (&tls.Dialer{Config: m.tls}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}
