package doorward

import (
	"context"
	"os"

	"google.golang.org/grpc"

	doorwardv1 "doorward.dev/go/doorward/v1"
)

// Client is a client of one api, safe to use from several goroutines. Close it when done.
type Client struct {
	// Apps is what runs, and under which labels.
	Apps *Apps
	// Tokens is who may use it.
	Tokens *Tokens
	// Sessions is access of a browser, by this client's own token.
	Sessions doorwardv1.SessionServiceClient
	// Audit is who did what.
	Audit *Audit
	// Replicas is how current each check replica is.
	Replicas doorwardv1.ReplicaServiceClient

	connection *grpc.ClientConn
	encrypted  bool
}

// New makes a client of the api at address: host:port, [IPv6]:port or unix:/path. It connects at the first call.
//
// The connection is encrypted, except to a loopback address or a Unix socket without Config.TLS; Config.Insecure
// allows plain text elsewhere. A [ConfigError] says what cannot work.
func New(address string, config Config) (*Client, error) {
	to, err := parseTarget(address)
	if err != nil {
		return nil, err
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	options, err := config.dialOptions(to)
	if err != nil {
		return nil, err
	}
	calls := newCalls(to, config)
	options = append(options,
		grpc.WithChainUnaryInterceptor(calls.unary), grpc.WithChainStreamInterceptor(calls.stream))
	connection, err := grpc.NewClient(to.uri, append(options, config.DialOptions...)...)
	if err != nil {
		return nil, configError(err.Error())
	}
	return &Client{
		Apps:       &Apps{doorwardv1.NewAppServiceClient(connection)},
		Tokens:     &Tokens{doorwardv1.NewTokenServiceClient(connection)},
		Sessions:   doorwardv1.NewSessionServiceClient(connection),
		Audit:      &Audit{doorwardv1.NewAuditServiceClient(connection)},
		Replicas:   doorwardv1.NewReplicaServiceClient(connection),
		connection: connection,
		encrypted:  config.encrypted(to),
	}, nil
}

// FromEnv makes a client of what DOORWARD_ADDRESS, DOORWARD_TOKEN and DOORWARD_CA_FILE say.
func FromEnv() (*Client, error) {
	address := os.Getenv("DOORWARD_ADDRESS")
	if address == "" {
		return nil, configError("no address: set DOORWARD_ADDRESS")
	}
	config := Config{Token: os.Getenv("DOORWARD_TOKEN")}
	if file := os.Getenv("DOORWARD_CA_FILE"); file != "" {
		config.TLS = &TLS{CAFile: file}
	}
	return New(address, config)
}

// WhoAmI answers the token that this client uses, without its secret.
func (c *Client) WhoAmI(ctx context.Context) (*doorwardv1.Token, error) {
	answer, err := c.Tokens.WhoAmI(ctx, &doorwardv1.WhoAmIRequest{})
	return answer.GetToken(), err
}

// Encrypted is whether what the client sends is.
func (c *Client) Encrypted() bool {
	return c.encrypted
}

// Connection is for generated clients of your own: it adds what this client's calls have.
func (c *Client) Connection() grpc.ClientConnInterface {
	return c.connection
}

// Close ends what runs and closes the connection.
func (c *Client) Close() error {
	return c.connection.Close()
}
