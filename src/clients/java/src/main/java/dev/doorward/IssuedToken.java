package dev.doorward;

import dev.doorward.v1.PolicyUpdate;
import dev.doorward.v1.Token;

/**
 * A token and its new secret, which no later call answers. Its text leaves the secret out, which that of a
 * message of {@code dev.doorward.v1} does not.
 *
 * @param token the token as it is now
 * @param secret what goes with the calls of whoever uses it
 * @param policyUpdate how far the end of the former secret has reached; empty for a token that has just been
 *     created
 */
public record IssuedToken(Token token, String secret, PolicyUpdate policyUpdate) {
  @Override
  public String toString() {
    return "IssuedToken[" + token.getTokenId() + ", generation " + token.getGeneration() + "]";
  }
}
