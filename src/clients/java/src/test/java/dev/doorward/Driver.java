package dev.doorward;

import com.google.protobuf.ListValue;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.JsonFormat;
import dev.doorward.v1.AppState;
import dev.doorward.v1.CreateSessionResponse;
import dev.doorward.v1.ListAppsRequest;
import dev.doorward.v1.ListAuditEventsRequest;
import dev.doorward.v1.ListTokensRequest;
import dev.doorward.v1.PreviewSelectorRequest;
import dev.doorward.v1.RegenerateTokenResponse;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes the calls of a journey of tests/sdk, one JSON object a line. */
public final class Driver {
  private final Map<Struct, Client> clients = new HashMap<>();
  private Messages<?> stream;

  /** Answers until the input ends. */
  public static void main(String[] arguments) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    var driver = new Driver();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      Struct.Builder asked = Struct.newBuilder();
      JsonFormat.parser().merge(line, asked);
      Struct.Builder said = Struct.newBuilder();
      try {
        said.putFields("answer", driver.answer(asked.build()));
      } catch (RuntimeException error) {
        said.putFields("error", Value.newBuilder().setStructValue(described(error)).build());
      }
      out.println(JsonFormat.printer().omittingInsignificantWhitespace().print(said));
    }
    driver.clients.values().forEach(Client::close);
  }

  private Value answer(Struct asked) throws Exception {
    switch (text(asked, "do")) {
      case "encrypted":
        return encrypted(asked);
      case "next":
        return stream.hasNext() ? json((MessageOrBuilder) stream.next()) : nothing();
      case "close":
        stream.close();
        return nothing();
      case "call":
        return json(message(invoke(client(asked), text(asked, "call"), asked)));
      case "open":
        stream = (Messages<?>) invoke(client(asked), text(asked, "open"), asked);
        return nothing();
      case "all":
        return list(all(client(asked), asked));
      case "wait":
        AppState state = AppState.valueOf(text(asked, "wait"));
        Duration limit = given(asked, "seconds") ? seconds(asked, "seconds") : Duration.ofMinutes(1);
        return json(client(asked).apps().waitFor(text(asked, "app"), state, limit));
      default:
        throw new IllegalStateException("no such thing to do: " + asked);
    }
  }

  private Client client(Struct asked) {
    return clients.computeIfAbsent(
        asked.getFieldsOrThrow("client").getStructValue(),
        settings -> {
          ClientBuilder builder = Client.builder(text(settings, "address"));
          if (given(settings, "token")) {
            builder.token(text(settings, "token"));
          }
          if (given(settings, "timeout")) {
            builder.timeout(seconds(settings, "timeout"));
          }
          if (given(settings, "ca_file")) {
            builder.caFile(Path.of(text(settings, "ca_file")));
          }
          if (given(settings, "server_name")) {
            builder.serverName(text(settings, "server_name"));
          }
          return builder.build();
        });
  }

  private static Value encrypted(Struct asked) {
    ClientBuilder builder = Client.builder(text(asked, "encrypted"));
    if (asked.getFieldsOrDefault("tls", nothing()).getBoolValue()) {
      builder.tls();
    }
    if (asked.getFieldsOrDefault("insecure", nothing()).getBoolValue()) {
      builder.insecure();
    }
    try (Client client = builder.build()) {
      return Value.newBuilder().setBoolValue(client.encrypted()).build();
    }
  }

  /** Calls the method of the client that has the RPC's name. */
  private static Object invoke(Client client, String rpc, Struct asked) throws Exception {
    String name = Character.toLowerCase(rpc.charAt(0)) + rpc.substring(1);
    var services =
        List.of(client.apps(), client.tokens(), client.sessions(), client.audit(), client.replicas());
    for (Object service : services) {
      for (Method method : service.getClass().getMethods()) {
        if (method.getName().equals(name)) {
          var builder = (Message.Builder) method.getParameterTypes()[0].getMethod("newBuilder").invoke(null);
          try {
            return method.invoke(service, read(asked, builder).build());
          } catch (InvocationTargetException thrown) {
            throw (Exception) thrown.getCause();
          }
        }
      }
    }
    throw new IllegalStateException("no such RPC: " + rpc);
  }

  /** What the table knows as a message, also where the library answers a type of its own. */
  private static MessageOrBuilder message(Object answer) {
    if (answer instanceof IssuedToken issued) {
      return RegenerateTokenResponse.newBuilder()
          .setToken(issued.token())
          .setSecret(issued.secret())
          .setPolicyUpdate(issued.policyUpdate());
    }
    if (answer instanceof NewSession begun) {
      return CreateSessionResponse.newBuilder()
          .setSession(begun.session())
          .setCredential(begun.credential());
    }
    return (MessageOrBuilder) answer;
  }

  private static Items<? extends MessageOrBuilder> all(Client client, Struct asked) throws Exception {
    return switch (text(asked, "all")) {
      case "ListApps" -> client.apps().all(read(asked, ListAppsRequest.newBuilder()).build());
      case "ListTokens" -> client.tokens().all(read(asked, ListTokensRequest.newBuilder()).build());
      case "PreviewSelector" ->
          client.tokens().allMatching(read(asked, PreviewSelectorRequest.newBuilder()).build());
      case "ListAuditEvents" -> client.audit().all(read(asked, ListAuditEventsRequest.newBuilder()).build());
      default -> throw new IllegalStateException("no such list: " + asked);
    };
  }

  /** The {@code error} of a line. Throws what is not an exception of the library. */
  private static Struct described(RuntimeException error) {
    Struct.Builder said = Struct.newBuilder().putFields("text", text(error.getMessage()));
    if (error instanceof DoorwardException failed) {
      Struct.Builder metadata = Struct.newBuilder();
      failed.metadata().forEach((key, value) -> metadata.putFields(key, text(value)));
      ListValue.Builder violations = ListValue.newBuilder();
      for (FieldViolation each : failed.fieldViolations()) {
        violations
            .addValuesBuilder()
            .getStructValueBuilder()
            .putFields("field", text(each.field()))
            .putFields("description", text(each.description()));
      }
      double retryAfter = failed.retryAfter().map(each -> each.toNanos() / 1e9).orElse(0.0);
      return said.putFields("kind", text("Error"))
          .putFields("code", text(failed.code().name()))
          .putFields("reason", text(failed.reason()))
          .putFields("metadata", Value.newBuilder().setStructValue(metadata).build())
          .putFields("fieldViolations", Value.newBuilder().setListValue(violations).build())
          .putFields("requestId", text(failed.requestId()))
          .putFields("retryAfter", Value.newBuilder().setNumberValue(retryAfter).build())
          .build();
    }
    if (error instanceof AppGaveUpException) {
      return said.putFields("kind", text("AppGaveUp")).build();
    }
    if (error instanceof SecretLostException) {
      return said.putFields("kind", text("SecretLost")).build();
    }
    if (error instanceof ConfigurationException) {
      return said.putFields("kind", text("Configuration")).build();
    }
    throw error;
  }

  private static <B extends Message.Builder> B read(Struct asked, B into) throws Exception {
    if (given(asked, "request")) {
      JsonFormat.parser().merge(JsonFormat.printer().print(asked.getFieldsOrThrow("request")), into);
    }
    return into;
  }

  private static Value json(MessageOrBuilder message) throws Exception {
    Value.Builder value = Value.newBuilder();
    JsonFormat.parser().merge(JsonFormat.printer().print(message), value);
    return value.build();
  }

  private static Value list(Iterable<? extends MessageOrBuilder> items) throws Exception {
    ListValue.Builder found = ListValue.newBuilder();
    for (MessageOrBuilder item : items) {
      found.addValues(json(item));
    }
    return Value.newBuilder().setListValue(found).build();
  }

  private static boolean given(Struct struct, String name) {
    return !struct.getFieldsOrDefault(name, nothing()).hasNullValue();
  }

  private static String text(Struct struct, String name) {
    return struct.getFieldsOrThrow(name).getStringValue();
  }

  private static Value text(String value) {
    return Value.newBuilder().setStringValue(value).build();
  }

  private static Duration seconds(Struct struct, String name) {
    return Duration.ofNanos((long) (struct.getFieldsOrThrow(name).getNumberValue() * 1e9));
  }

  private static Value nothing() {
    return Value.newBuilder().setNullValue(NullValue.NULL_VALUE).build();
  }
}
