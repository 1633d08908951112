package dev.doorward;

import dev.doorward.v1.App;
import dev.doorward.v1.CreateTokenRequest;
import dev.doorward.v1.CreateTokenResponse;
import dev.doorward.v1.DeleteTokenRequest;
import dev.doorward.v1.DeleteTokenResponse;
import dev.doorward.v1.ExplainAccessRequest;
import dev.doorward.v1.ExplainAccessResponse;
import dev.doorward.v1.GetTokenRequest;
import dev.doorward.v1.GetTokenResponse;
import dev.doorward.v1.ListTokensRequest;
import dev.doorward.v1.ListTokensResponse;
import dev.doorward.v1.PolicyUpdate;
import dev.doorward.v1.PreviewSelectorRequest;
import dev.doorward.v1.PreviewSelectorResponse;
import dev.doorward.v1.RegenerateTokenRequest;
import dev.doorward.v1.RegenerateTokenResponse;
import dev.doorward.v1.Token;
import dev.doorward.v1.TokenServiceGrpc;
import dev.doorward.v1.UpdateTokenRequest;
import dev.doorward.v1.UpdateTokenResponse;
import dev.doorward.v1.WhoAmIRequest;
import dev.doorward.v1.WhoAmIResponse;

/** What can be done with tokens; all of it but {@link #whoAmI} needs ADMIN. Every method throws {@link DoorwardException} when its call fails. */
public final class Tokens {
  private final Calls calls;

  Tokens(Calls calls) {
    this.calls = calls;
  }

  /** Answers one token, without its secret. */
  public GetTokenResponse getToken(GetTokenRequest request) {
    return calls.unary(TokenServiceGrpc.getGetTokenMethod(), request);
  }

  /** Answers one page of the tokens, newest first. */
  public ListTokensResponse listTokens(ListTokensRequest request) {
    return calls.unary(TokenServiceGrpc.getListTokensMethod(), request);
  }

  /** Changes a token's name or expiry; an earlier expiry is enforced when this returns. */
  public UpdateTokenResponse updateToken(UpdateTokenRequest request) {
    return calls.unary(TokenServiceGrpc.getUpdateTokenMethod(), request);
  }

  /** Gives a token a new secret. Never repeated by the client: each call makes another. */
  public IssuedToken regenerateToken(RegenerateTokenRequest request) {
    RegenerateTokenResponse answer = calls.unary(TokenServiceGrpc.getRegenerateTokenMethod(), request);
    return new IssuedToken(answer.getToken(), answer.getSecret(), answer.getPolicyUpdate());
  }

  /** Deletes a token, which is dead when this returns. */
  public DeleteTokenResponse deleteToken(DeleteTokenRequest request) {
    return calls.unary(TokenServiceGrpc.getDeleteTokenMethod(), request);
  }

  /** Answers one page of the apps that a scope matches now. */
  public PreviewSelectorResponse previewSelector(PreviewSelectorRequest request) {
    return calls.unary(TokenServiceGrpc.getPreviewSelectorMethod(), request);
  }

  /** Says whether a token may make a request, and which rule decides. */
  public ExplainAccessResponse explainAccess(ExplainAccessRequest request) {
    return calls.unary(TokenServiceGrpc.getExplainAccessMethod(), request);
  }

  /** Answers the token that makes the call, without its secret. */
  public WhoAmIResponse whoAmI(WhoAmIRequest request) {
    return calls.unary(TokenServiceGrpc.getWhoAmIMethod(), request);
  }

  /**
   * Creates a token and answers its secret, which no later call answers.
   *
   * <p>The client repeats the call when the connection breaks. The server answers a repeat without the secret,
   * which it does not keep: that throws {@link SecretLostException}, and {@link #regenerateToken} gives a new
   * one.
   */
  public IssuedToken createToken(CreateTokenRequest request) {
    CreateTokenResponse answer = calls.unary(TokenServiceGrpc.getCreateTokenMethod(), request);
    if (answer.getSecret().isEmpty()) {
      throw new SecretLostException(answer.getToken().getTokenId());
    }
    return new IssuedToken(answer.getToken(), answer.getSecret(), PolicyUpdate.getDefaultInstance());
  }

  /** The tokens, newest first, whatever the page. */
  public Items<Token> all(ListTokensRequest request) {
    return new Items<>(
        request.getPageToken(),
        pageToken -> {
          var page = listTokens(request.toBuilder().setPageToken(pageToken).build());
          return new Items.Page<>(page.getTokensList(), page.getNextPageToken());
        });
  }

  /** The apps that a scope matches now, whatever the page. */
  public Items<App> allMatching(PreviewSelectorRequest request) {
    return new Items<>(
        request.getPageToken(),
        pageToken -> {
          var page = previewSelector(request.toBuilder().setPageToken(pageToken).build());
          return new Items.Page<>(page.getAppsList(), page.getNextPageToken());
        });
  }
}
