package doorward

import (
	"context"

	"google.golang.org/grpc"

	doorwardv1 "doorward.dev/go/doorward/v1"
)

// Apps is what can be done with apps: the calls of AppService, All and Wait.
type Apps struct{ doorwardv1.AppServiceClient }

// Tokens is what can be done with tokens: the calls of TokenService, All and AllMatching.
type Tokens struct{ doorwardv1.TokenServiceClient }

// Audit is who did what: the calls of AuditService, and All.
type Audit struct{ doorwardv1.AuditServiceClient }

// CreateToken creates a token and answers its secret, which no later call answers.
//
// The client repeats the call when the connection breaks. The server answers a repeat without the secret, which
// it does not keep: that is a [SecretLost], and RegenerateToken gives a new one.
func (t *Tokens) CreateToken(
	ctx context.Context, request *doorwardv1.CreateTokenRequest, options ...grpc.CallOption,
) (*doorwardv1.CreateTokenResponse, error) {
	answer, err := t.TokenServiceClient.CreateToken(ctx, request, options...)
	if err == nil && answer.GetSecret() == "" {
		return nil, &SecretLost{TokenID: answer.GetToken().GetTokenId()}
	}
	return answer, err
}
