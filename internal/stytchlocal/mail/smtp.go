package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/guestlist/guestlist/internal/netutil"
)

// smtpTimeout limits one delivery, from dialing to the server's last reply.
const smtpTimeout = 10 * time.Second

// SMTP sends each message to an SMTP server on a connection of its own.
type SMTP struct {
	host           string
	port           int
	user, password string
	from           *netmail.Address
	implicitTLS    bool // smtps: TLS from the first byte
	startTLS       bool // refuse to continue without STARTTLS
	tls            *tls.Config
	silence        time.Duration // see the constant
}

// NewSMTP returns a client of an SMTP server. It does not connect.
//
// The URL is smtp://user:password@host:587, where the server must offer STARTTLS unless
// it is on this machine, or smtps://user:password@host:465. The ports shown are the
// defaults; user and password are optional. From is the sender, such as
// "Guestlist <login@example.com>".
func NewSMTP(smtpURL, from string) (*SMTP, error) {
	u, err := url.Parse(smtpURL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		// The error of package url would contain the password.
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
			return nil, errors.New("has an invalid port")
		}
	}
	if m.from, err = netmail.ParseAddress(from); err != nil {
		return nil, fmt.Errorf("the sender %q must look like Guestlist <login@example.com>", from)
	}
	m.startTLS = !m.implicitTLS && !netutil.IsLoopback(m.host)
	m.tls = &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}
	return m, nil
}

// Login connects, encrypts the connection, logs in and disconnects: everything that
// precedes the sending of a message. The error is an [*Error].
func (m *SMTP) Login(ctx context.Context) error { return m.run(ctx) }

// Send delivers a message and returns nil once the server has accepted it. The error is
// an [*Error] unless the message itself is invalid.
func (m *SMTP) Send(ctx context.Context, msg Message) error {
	message, err := m.encode(msg)
	if err != nil {
		return err
	}
	var content io.WriteCloser
	return m.run(ctx,
		command{atSender, func(c *smtp.Client) error { return c.Mail("<" + m.from.Address + ">") }},
		command{atRecipient, func(c *smtp.Client) error { return c.Rcpt("<" + msg.To + ">") }},
		command{atContent, func(c *smtp.Client) (err error) { content, err = c.Data(); return err }},
		command{atContent, func(*smtp.Client) error { _, err := message.WriteTo(content); return err }},
		command{atEnd, func(*smtp.Client) error { return content.Close() }},
	)
}

// encode returns a message in its wire format. The library encodes names and subject,
// limits the length of lines, and refuses a header with a line break.
func (m *SMTP) encode(msg Message) (*gomail.Msg, error) {
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	out.FromMailAddress(m.from)
	if err := out.To(msg.To); err != nil {
		return nil, fmt.Errorf("smtp: recipient: %w", err)
	}
	out.SetMessageIDWithValue(msg.ID + "@" + m.domain())
	out.SetDateWithValue(msg.Date)
	out.SetGenHeader("Auto-Submitted", "auto-generated") // suppresses out-of-office replies: RFC 3834
	out.Subject(msg.Subject)
	out.SetBodyString(gomail.TypeTextPlain, msg.Text)
	out.AddAlternativeString(gomail.TypeTextHTML, msg.HTML)
	return out, nil
}

type command struct {
	stage stage
	run   func(*smtp.Client) error
}

// run connects, encrypts, logs in, executes the commands and quits. It stops at the first
// error or when ctx ends.
func (m *SMTP) run(ctx context.Context, commands ...command) error {
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	conn, err := m.dial(ctx)
	if err != nil {
		return newError(ctx, atConnection, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	detected := m.detectSilentServer(ctx, conn)
	client, err := smtp.NewClient(conn, m.host)
	if other := detected(); other != nil {
		err = other
	}
	if err != nil {
		return newError(ctx, atConnection, err)
	}
	client.SkipSMTPUTF8(true) // addresses are ASCII; requesting SMTPUTF8 could make a relay refuse them
	opening := []command{{atConnection, m.hello}, {atEncryption, m.encrypt}, {atLogin, m.logIn}}
	for _, c := range append(opening, commands...) {
		if err := c.run(client); err != nil {
			return newError(ctx, c.stage, err)
		}
	}
	// The server has accepted the message. An error here would cause a second one.
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

// hello introduces the program by the sender's domain: mail servers often refuse the
// machine's own name, especially that of a container.
func (m *SMTP) hello(c *smtp.Client) error { return c.Hello(m.domain()) }

func (m *SMTP) domain() string {
	_, domain, _ := strings.Cut(m.from.Address, "@")
	return domain
}

// encrypt starts TLS. It refuses to continue if the server's offer is missing: an attacker
// may have removed it.
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
	mechanisms := strings.Fields(strings.ToUpper(offered))
	allowPlaintext := !m.implicitTLS && !m.startTLS // to this machine
	switch {
	case slices.Contains(mechanisms, "SCRAM-SHA-256"):
		return c.Auth(smtp.ScramSHA256Auth(m.user, m.password))
	case slices.Contains(mechanisms, "PLAIN"):
		return c.Auth(smtp.PlainAuth("", m.user, m.password, m.host, allowPlaintext))
	case slices.Contains(mechanisms, "LOGIN"):
		return c.Auth(smtp.LoginAuth(m.user, m.password, m.host, allowPlaintext))
	case slices.Contains(mechanisms, "CRAM-MD5"): // last only because of its age: it does not send the password
		return c.Auth(smtp.CRAMMD5Auth(m.user, m.password))
	}
	return &noLoginError{nameMechanisms(mechanisms)}
}

// nameMechanisms lists up to five of the mechanisms that a server offers. It leaves out
// words that do not look like a mechanism: a server's own words are not shown.
func nameMechanisms(mechanisms []string) string {
	var names []string
	for _, name := range mechanisms {
		if len(names) < 5 && mechanismPattern.MatchString(name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

var mechanismPattern = regexp.MustCompile(`^[A-Z0-9_-]{1,20}$`)
