package dev.doorward;

import dev.doorward.v1.Token;
import dev.doorward.v1.WhoAmIRequest;
import io.grpc.Channel;
import io.grpc.ManagedChannel;

/** A client of one api, safe to use from several threads. Close it when done. */
public final class Client implements AutoCloseable {
  private final ManagedChannel managed;
  private final boolean encrypted;
  private final Calls calls;
  private final Apps apps;
  private final Tokens tokens;
  private final Sessions sessions;
  private final Audit audit;
  private final Replicas replicas;

  Client(ManagedChannel managed, Calls calls, boolean encrypted) {
    this.managed = managed;
    this.encrypted = encrypted;
    this.calls = calls;
    this.apps = new Apps(calls);
    this.tokens = new Tokens(calls);
    this.sessions = new Sessions(calls);
    this.audit = new Audit(calls);
    this.replicas = new Replicas(calls);
  }

  /** Sets up a client of the api at {@code host:port}, {@code [IPv6]:port} or {@code unix:/path}. */
  public static ClientBuilder builder(String address) {
    return new ClientBuilder(address);
  }

  /**
   * Makes a client of what {@code DOORWARD_ADDRESS}, {@code DOORWARD_TOKEN} and {@code DOORWARD_CA_FILE} say.
   */
  public static Client fromEnv() {
    return ClientBuilder.fromEnvironment(System.getenv()).build();
  }

  /** What runs, and under which labels. */
  public Apps apps() {
    return apps;
  }

  /** Who may use it. */
  public Tokens tokens() {
    return tokens;
  }

  /** Access of a browser, by this client's own token. */
  public Sessions sessions() {
    return sessions;
  }

  /** Who did what. */
  public Audit audit() {
    return audit;
  }

  /** How current each check replica is. */
  public Replicas replicas() {
    return replicas;
  }

  /** The token that this client uses, without its secret. */
  public Token whoAmI() {
    return tokens.whoAmI(WhoAmIRequest.getDefaultInstance()).getToken();
  }

  /** Whether what the client sends is encrypted. */
  public boolean encrypted() {
    return encrypted;
  }

  /** The connection, with the client's token: for generated stubs. */
  public Channel channel() {
    return calls.channel();
  }

  /** Ends what runs and closes the connection. May be repeated. */
  @Override
  public void close() {
    managed.shutdownNow();
  }
}
