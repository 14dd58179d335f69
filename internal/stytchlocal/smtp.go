package stytchlocal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// smtpTimeout is how long handing a mail over may take, from dialling to the
// server's last word.
const smtpTimeout = 10 * time.Second

// SMTP hands each mail to an SMTP server on a connection of its own.
type SMTP struct {
	host           string
	port           int
	user, password string
	from           *mail.Address
	implicitTLS    bool // smtps: TLS from the first byte
	startTLS       bool // refuse to go on without
	tls            *tls.Config
	silence        time.Duration // see the constant
}

// NewSMTP returns a Mailer for an SMTP server: smtp://user:password@host:587,
// where the server must offer STARTTLS unless it is on this machine, or
// smtps://user:password@host:465. The ports shown are the defaults; user and
// password may be left out. from is the sender, as in "Guestlist
// <login@example.com>". The server is not asked anything yet.
func NewSMTP(smtpURL, from string) (*SMTP, error) {
	u, err := url.Parse(smtpURL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		// url's own text would hold the password.
		return nil, errors.New("must look like smtp://user:password@host:587 or smtps://user:password@host:465")
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("must end after host and port")
	}
	m := &SMTP{host: u.Hostname(), port: 587, user: u.User.Username(), implicitTLS: u.Scheme == "smtps", silence: silence}
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

// Login goes as far as a mail would go before anything is said of it: it connects,
// has the connection encrypted, logs in, and says goodbye. The error is a
// *MailError.
func (m *SMTP) Login(ctx context.Context) error { return m.run(ctx) }

// Send hands the mail over and returns nil once the server has taken it. The
// error is a *MailError, unless the mail itself is none.
func (m *SMTP) Send(ctx context.Context, letter Mail) error {
	message, err := m.message(letter)
	if err != nil {
		return err
	}
	var content io.WriteCloser
	return m.run(ctx,
		command{atSender, func(c *smtp.Client) error { return c.Mail("<" + m.from.Address + ">") }},
		command{atRecipient, func(c *smtp.Client) error { return c.Rcpt("<" + letter.To + ">") }},
		command{atContent, func(c *smtp.Client) (err error) { content, err = c.Data(); return err }},
		command{atContent, func(*smtp.Client) error { _, err := message.WriteTo(content); return err }},
		command{atEnd, func(*smtp.Client) error { return content.Close() }},
	)
}

// command is one thing that is said to a server, and where in a conversation that is.
type command struct {
	at smtpStage
	do func(*smtp.Client) error
}

// run opens a connection, says what is always said first, then the steps,
// then goodbye. It ends with the first error, or when ctx does.
func (m *SMTP) run(ctx context.Context, steps ...command) error {
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	connection, err := m.dial(ctx)
	if err != nil {
		return newMailError(ctx, atConnection, err)
	}
	defer connection.Close()
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	found := m.watchSilence(ctx, connection)
	client, err := smtp.NewClient(connection, m.host)
	if instead := found(); instead != nil {
		err = instead
	}
	if err != nil {
		return newMailError(ctx, atConnection, err)
	}
	client.SkipSMTPUTF8(true) // addresses are ASCII; asking for it could make a relay refuse them
	opening := []command{{atConnection, m.hello}, {atEncryption, m.encrypt}, {atLogin, m.logIn}}
	for _, s := range append(opening, steps...) {
		if err := s.do(client); err != nil {
			return newMailError(ctx, s.at, err)
		}
	}
	// Once the server has said yes, a connection that ends badly changes nothing:
	// an error here would mean a second mail.
	client.Quit()
	return nil
}

func (m *SMTP) dial(ctx context.Context) (net.Conn, error) {
	if m.implicitTLS {
		return (&tls.Dialer{Config: m.tls}).DialContext(ctx, "tcp", m.address())
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", m.address())
}

func (m *SMTP) address() string { return net.JoinHostPort(m.host, strconv.Itoa(m.port)) }

// hello calls the program by the sender's domain: the machine's own name is often
// none that a mail server takes, in a container least of all.
func (m *SMTP) hello(c *smtp.Client) error { return c.Hello(m.domain()) }

func (m *SMTP) domain() string {
	_, domain, _ := strings.Cut(m.from.Address, "@")
	return domain
}

// encrypt goes on in the clear only where that is allowed, whoever took the
// server's offer of encryption out of its greeting.
func (m *SMTP) encrypt(c *smtp.Client) error {
	if !m.startTLS {
		return nil
	}
	if offered, _ := c.Extension("STARTTLS"); !offered {
		return errNoEncryption
	}
	return c.StartTLS(m.tls)
}

func (m *SMTP) logIn(c *smtp.Client) error {
	if m.user == "" {
		return nil
	}
	_, offered := c.Extension("AUTH")
	ways := strings.Fields(strings.ToUpper(offered))
	inTheClear := !m.implicitTLS && !m.startTLS // to this machine
	switch {
	case slices.Contains(ways, "SCRAM-SHA-256"):
		return c.Auth(smtp.ScramSHA256Auth(m.user, m.password))
	case slices.Contains(ways, "PLAIN"):
		return c.Auth(smtp.PlainAuth("", m.user, m.password, m.host, inTheClear))
	case slices.Contains(ways, "LOGIN"):
		return c.Auth(smtp.LoginAuth(m.user, m.password, m.host, inTheClear))
	case slices.Contains(ways, "CRAM-MD5"): // the password itself is not sent, so it is the last choice only for its age
		return c.Auth(smtp.CRAMMD5Auth(m.user, m.password))
	}
	return &noLoginError{waysToLogIn(ways)}
}

// waysToLogIn lists a few of the ways that a server offers, as far as they look like
// such names: the server's own words are not told otherwise.
func waysToLogIn(ways []string) string {
	const most = 5
	var names []string
	for _, way := range ways {
		if len(names) < most && wayToLogIn().MatchString(way) {
			names = append(names, way)
		}
	}
	return strings.Join(names, ", ")
}

var wayToLogIn = lazyRegexp(`^[A-Z0-9_-]{1,20}$`)
