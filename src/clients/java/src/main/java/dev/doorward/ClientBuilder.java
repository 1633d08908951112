package dev.doorward;

import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * How a client calls.
 *
 * <p>The connection is encrypted, except to a loopback address or a Unix socket without {@link #tls}; {@link
 * #insecure} allows plain text elsewhere. {@link ConfigurationException} says what cannot work.
 */
public final class ClientBuilder {
  /** A page of 1000 apps with all the labels they may have fits. */
  private static final int MAX_ANSWER_BYTES = 64 * 1024 * 1024;

  private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]+");
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final Target target;
  private String token;
  private boolean tls;
  private Path caFile;
  private String serverName;
  private boolean insecure;
  private Duration timeout = Duration.ofSeconds(30);
  private Duration enforcementTimeout = Duration.ofSeconds(60);

  ClientBuilder(String address) {
    this.target = Target.parse(Objects.requireNonNull(address, "address"));
  }

  static ClientBuilder fromEnvironment(Map<String, String> environment) {
    String address = environment.getOrDefault("DOORWARD_ADDRESS", "");
    if (address.isEmpty()) {
      throw new ConfigurationException("no address: set DOORWARD_ADDRESS");
    }
    ClientBuilder builder = new ClientBuilder(address);
    if (!environment.getOrDefault("DOORWARD_TOKEN", "").isEmpty()) {
      builder.token(environment.get("DOORWARD_TOKEN"));
    }
    if (!environment.getOrDefault("DOORWARD_CA_FILE", "").isEmpty()) {
      builder.caFile(Path.of(environment.get("DOORWARD_CA_FILE")));
    }
    return builder;
  }

  /** Goes with every call. Calls carry none without it. */
  public ClientBuilder token(String given) {
    // gRPC would name what it cannot send, token and all.
    if (!TOKEN.matcher(given).matches()) {
      throw new ConfigurationException("the token has characters that no token has, or none at all");
    }
    token = given;
    return this;
  }

  /** Asks for encryption where there would be none. */
  public ClientBuilder tls() {
    tls = true;
    return this;
  }

  /** Asks for encryption, and trusts the authorities in a PEM file instead of Java's. */
  public ClientBuilder caFile(Path file) {
    caFile = file;
    return tls();
  }

  /** The name that the api's certificate must have, when it is not the host of the address. */
  public ClientBuilder serverName(String name) {
    serverName = name;
    return this;
  }

  /** Allows plain text to an address that is not on this machine: it shows the token to all on the way. */
  public ClientBuilder insecure() {
    insecure = true;
    return this;
  }

  /** How long a call may take; 30 seconds by default. Streams have no limit. */
  public ClientBuilder timeout(Duration limit) {
    timeout = positive(limit);
    return this;
  }

  /**
   * How long a call may take that answers how far a change has reached, which may wait for the server's policy
   * lease; 60 seconds by default.
   */
  public ClientBuilder enforcementTimeout(Duration limit) {
    enforcementTimeout = positive(limit);
    return this;
  }

  /** Makes the client, which connects at its first call. */
  public Client build() {
    if (tls && insecure) {
      throw new ConfigurationException("tls and insecure contradict each other: give one of them");
    }
    boolean encrypted = tls || !(insecure || target.local());
    ChannelCredentials credentials = encrypted ? trusting(caFile) : InsecureChannelCredentials.create();
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(target.uri(), credentials)
            .userAgent("doorward-java/" + Version.VERSION)
            .maxInboundMessageSize(MAX_ANSWER_BYTES)
            .disableRetry() // the client repeats calls itself, see Methods
            // A stream may be silent for hours; find out when its other end is gone. Servers take pings that
            // are more frequent than every five minutes for an attack (gRFC A8).
            .keepAliveTime(310, TimeUnit.SECONDS)
            .keepAliveTimeout(20, TimeUnit.SECONDS);
    if (!encrypted) {
      builder.proxyDetector(address -> null); // a proxy would read the token
    }
    if (serverName != null) {
      builder.overrideAuthority(serverName);
    }
    ManagedChannel channel = builder.build();
    Metadata headers = new Metadata();
    if (token != null) {
      headers.put(AUTHORIZATION, "Bearer " + token); // RFC 6750 §2.1
    }
    var authorized = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    var calls = new Calls(channel, authorized, target.address(), timeout, enforcementTimeout);
    return new Client(channel, calls, encrypted);
  }

  private static ChannelCredentials trusting(Path file) {
    if (file == null) {
      return TlsChannelCredentials.create();
    }
    try {
      if (!Files.readString(file).contains("-----BEGIN CERTIFICATE-----")) {
        throw new ConfigurationException("CA file " + file + ": no PEM certificate in it");
      }
      return TlsChannelCredentials.newBuilder().trustManager(file.toFile()).build();
    } catch (IOException cause) {
      throw new ConfigurationException("CA file " + file + " cannot be read", cause);
    }
  }

  private static Duration positive(Duration limit) {
    if (limit.isZero() || limit.isNegative()) {
      throw new ConfigurationException("a time limit must be positive, not " + limit);
    }
    return limit;
  }
}
