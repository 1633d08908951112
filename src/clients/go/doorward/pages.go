package doorward

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

	doorwardv1 "doorward.dev/go/doorward/v1"
)

// items asks for page after page while its items are looked at. An error ends it, and is its last pair.
//
// A change to the list meanwhile loses no item that was there all the time, and repeats none.
func items[T any](fetch func(pageToken string) ([]T, string, error), from string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for pageToken := from; ; {
			page, next, err := fetch(pageToken)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			pageToken = next
		}
	}
}

// All yields the apps in the token's scope, newest first. Each loop over it asks again, from the request's page.
func (a *Apps) All(ctx context.Context, request *doorwardv1.ListAppsRequest) iter.Seq2[*doorwardv1.App, error] {
	return items(func(pageToken string) ([]*doorwardv1.App, string, error) {
		asked := proto.CloneOf(request)
		asked.PageToken = pageToken
		answer, err := a.ListApps(ctx, asked)
		return answer.GetApps(), answer.GetNextPageToken(), err
	}, request.GetPageToken())
}

// All yields the tokens, newest first. Each loop over it asks again, from the request's page.
func (t *Tokens) All(
	ctx context.Context, request *doorwardv1.ListTokensRequest,
) iter.Seq2[*doorwardv1.Token, error] {
	return items(func(pageToken string) ([]*doorwardv1.Token, string, error) {
		asked := proto.CloneOf(request)
		asked.PageToken = pageToken
		answer, err := t.ListTokens(ctx, asked)
		return answer.GetTokens(), answer.GetNextPageToken(), err
	}, request.GetPageToken())
}

// AllMatching yields the apps that a scope matches now.
func (t *Tokens) AllMatching(
	ctx context.Context, request *doorwardv1.PreviewSelectorRequest,
) iter.Seq2[*doorwardv1.App, error] {
	return items(func(pageToken string) ([]*doorwardv1.App, string, error) {
		asked := proto.CloneOf(request)
		asked.PageToken = pageToken
		answer, err := t.PreviewSelector(ctx, asked)
		return answer.GetApps(), answer.GetNextPageToken(), err
	}, request.GetPageToken())
}

// All yields what was done, newest first. Each loop over it asks again, from the request's page.
func (a *Audit) All(
	ctx context.Context, request *doorwardv1.ListAuditEventsRequest,
) iter.Seq2[*doorwardv1.AuditEvent, error] {
	return items(func(pageToken string) ([]*doorwardv1.AuditEvent, string, error) {
		asked := proto.CloneOf(request)
		asked.PageToken = pageToken
		answer, err := a.ListAuditEvents(ctx, asked)
		return answer.GetAuditEvents(), answer.GetNextPageToken(), err
	}, request.GetPageToken())
}
