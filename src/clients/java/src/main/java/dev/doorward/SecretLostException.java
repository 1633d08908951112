package dev.doorward;

/** A token was created, and the answer with its secret was lost. Regenerate it to have a new one. */
public final class SecretLostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String tokenId;

  SecretLostException(String tokenId) {
    super(
        "token "
            + tokenId
            + " was created by an earlier request, whose answer alone had the secret: regenerate it to have a"
            + " new one");
    this.tokenId = tokenId;
  }

  /** The token to regenerate. */
  public String tokenId() {
    return tokenId;
  }
}
