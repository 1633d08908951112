package doorward

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const (
	// DefaultTimeout is how long a call may take.
	DefaultTimeout = 30 * time.Second
	// DefaultEnforcementTimeout is how long a call that narrows access may take: the server's default policy
	// lease, and as long again.
	DefaultEnforcementTimeout = 60 * time.Second
)

// A page of 1000 apps with all the labels they may have fits.
const maxAnswerBytes = 64 << 20

// Config is how a client calls. Its zero value calls without a token.
type Config struct {
	// Token goes with every call. Empty: calls carry none.
	Token string
	// TLS is how the api's certificate is checked. Nil: TLS with the system's authorities, except towards a
	// loopback address or a Unix socket, which is plain text.
	TLS *TLS
	// Insecure allows plain text to an address elsewhere, which shows the token to everybody on the way.
	Insecure bool
	// Timeout is for calls whose context has no deadline. Zero: DefaultTimeout. Streams have none.
	Timeout time.Duration
	// EnforcementTimeout is for those that answer how far a change has reached, which may wait for the
	// server's policy lease. Zero: DefaultEnforcementTimeout.
	EnforcementTimeout time.Duration
	// DialOptions come after the client's own.
	DialOptions []grpc.DialOption
}

// TLS is how the api's certificate is checked. The zero value is right for one from a public authority.
type TLS struct {
	// CAFile is a PEM file with the authorities to trust, instead of the system's.
	CAFile string
	// ServerName is the name that the certificate must have, when it is not the host of the address.
	ServerName string
}

// String leaves the token out.
func (c Config) String() string {
	return fmt.Sprintf("doorward.Config{TLS: %v, Insecure: %v}", c.TLS, c.Insecure)
}

// GoString leaves the token out.
func (c Config) GoString() string {
	return c.String()
}

func (c Config) check() error {
	switch {
	case c.TLS != nil && c.Insecure:
		return configError("TLS and Insecure contradict each other: give one of them")
	case c.Timeout < 0 || c.EnforcementTimeout < 0:
		return configError("a time limit must be positive")
	}
	for _, r := range c.Token {
		// gRPC would name what it cannot send, token and all.
		if r < '!' || r > '~' {
			return configError("the token has characters that no token has")
		}
	}
	return nil
}

func (c Config) encrypted(to target) bool {
	return c.TLS != nil || !(c.Insecure || to.local)
}

func (c Config) dialOptions(to target) ([]grpc.DialOption, error) {
	options := []grpc.DialOption{
		grpc.WithUserAgent("doorward-go/" + Version),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswerBytes)),
		// The client repeats calls itself, see repeats.go.
		grpc.WithDisableRetry(),
		// Try a restarting api again soon: gRPC's own second would use up the repeats of a call.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 10 * time.Second,
			},
			MinConnectTimeout: 20 * time.Second,
		}),
		// A stream may be silent for hours; find out when its other end is gone. Servers take pings that are
		// more frequent than every five minutes for an attack (gRFC A8).
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 310 * time.Second, Timeout: 20 * time.Second}),
	}
	if !c.encrypted(to) {
		// Without encryption a proxy from the environment would read the token.
		return append(options, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy()), nil
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS != nil {
		settings.ServerName = c.TLS.ServerName
		if c.TLS.CAFile != "" {
			roots, err := authorities(c.TLS.CAFile)
			if err != nil {
				return nil, err
			}
			settings.RootCAs = roots
		}
	}
	return append(options, grpc.WithTransportCredentials(credentials.NewTLS(settings))), nil
}

func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, configError(err.Error())
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, configError(file + ": no PEM certificate in it")
	}
	return pool, nil
}
