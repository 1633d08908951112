package dev.doorward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.Internal;
import com.google.protobuf.Message;
import dev.doorward.v1.AppServiceProto;
import dev.doorward.v1.AuditServiceProto;
import dev.doorward.v1.PolicyUpdate;
import dev.doorward.v1.ReplicaServiceProto;
import dev.doorward.v1.Session;
import dev.doorward.v1.SessionServiceProto;
import dev.doorward.v1.Token;
import dev.doorward.v1.TokenServiceProto;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What needs no server; tests/sdk has the rest. */
class ClientTest {
  private static final Map<Class<?>, ServiceDescriptor> SERVICES =
      Map.of(
          Apps.class, AppServiceProto.getDescriptor().findServiceByName("AppService"),
          Tokens.class, TokenServiceProto.getDescriptor().findServiceByName("TokenService"),
          Sessions.class, SessionServiceProto.getDescriptor().findServiceByName("SessionService"),
          Audit.class, AuditServiceProto.getDescriptor().findServiceByName("AuditService"),
          Replicas.class, ReplicaServiceProto.getDescriptor().findServiceByName("ReplicaService"));

  /** Every RPC of protos/ has a method of its name, so that none is forgotten. */
  @Test
  void everyRpcHasItsMethod() {
    SERVICES.forEach(
        (type, service) -> {
          List<String> names = Stream.of(type.getMethods()).map(each -> each.getName()).toList();
          for (MethodDescriptor rpc : service.getMethods()) {
            String name = Character.toLowerCase(rpc.getName().charAt(0)) + rpc.getName().substring(1);
            assertTrue(names.contains(name), rpc.getFullName());
          }
        });
  }

  /** What is not repeated are the two calls that do something else each time. */
  @Test
  void onlyTwoCallsAreNeverRepeated() throws Exception {
    Set<String> never = new TreeSet<>();
    for (ServiceDescriptor service : SERVICES.values()) {
      Class<?> stubs = Class.forName("dev.doorward.v1." + service.getName() + "Grpc");
      for (MethodDescriptor rpc : service.getMethods()) {
        var method =
            (io.grpc.MethodDescriptor<?, ?>) stubs.getMethod("get" + rpc.getName() + "Method").invoke(null);
        var request =
            (io.grpc.MethodDescriptor.PrototypeMarshaller<?>) method.getRequestMarshaller();
        if (!Methods.mayBeRepeated(method, (Message) request.getMessagePrototype())) {
          never.add(rpc.getName());
        }
      }
    }
    assertEquals(Set.of("CreateSession", "RegenerateToken"), never);
  }

  /** A client that cannot work is refused before anything is sent. */
  @Test
  void whatCannotWorkIsAConfigurationException() {
    for (ClientBuilder builder :
        List.of(
            Client.builder("127.0.0.1:8081").caFile(Path.of("there-is-no-such-file")),
            Client.builder("127.0.0.1:8081").caFile(Path.of("pom.xml")))) {
      assertThrows(ConfigurationException.class, builder::build);
    }
    ClientBuilder builder = Client.builder("127.0.0.1:8081");
    assertThrows(ConfigurationException.class, () -> builder.timeout(Duration.ZERO));
    assertThrows(ConfigurationException.class, () -> builder.token(""));
  }

  /** The environment names the api, or the client says what is missing. */
  @Test
  void theEnvironmentNamesTheApi() {
    var missing =
        assertThrows(ConfigurationException.class, () -> ClientBuilder.fromEnvironment(Map.of()));
    assertTrue(missing.getMessage().contains("DOORWARD_ADDRESS"));
    var environment = new HashMap<>(Map.of("DOORWARD_ADDRESS", "127.0.0.1:8081", "DOORWARD_TOKEN", "dw_x"));
    try (Client client = ClientBuilder.fromEnvironment(environment).build()) {
      assertFalse(client.encrypted());
    }
    environment.put("DOORWARD_CA_FILE", "there-is-no-such-file");
    assertThrows(
        ConfigurationException.class, () -> ClientBuilder.fromEnvironment(environment).build());
  }

  /** A loop that is left asks for no further page, and the pages begin where they are told to. */
  @Test
  void aLoopThatIsLeftAsksNoMore() {
    List<String> asked = new ArrayList<>();
    Items<Integer> items =
        new Items<>(
            "start",
            pageToken -> {
              asked.add(pageToken);
              return new Items.Page<>(List.of(asked.size()), "after-" + asked.size());
            });
    for (int item : items) {
      if (item == 2) {
        break;
      }
    }
    assertEquals(List.of("start", "after-1"), asked);
  }

  /** The last page ends a list, and each loop asks again. */
  @Test
  void theLastPageEndsAList() {
    List<String> pages = Arrays.asList("", "next");
    Items<String> items =
        new Items<>("", token -> new Items.Page<>(List.of("item" + token), token.isEmpty() ? pages.get(1) : ""));
    for (int loop = 0; loop < 2; loop++) {
      assertEquals(List.of("item", "itemnext"), items.stream().toList());
    }
  }

  /** What answers a secret does not show it when it is printed or logged. */
  @Test
  void anAnswerHidesItsSecret() {
    Token token = Token.newBuilder().setTokenId("shown").build();
    Session session = Session.newBuilder().setHost("shown").build();
    for (Object answer :
        List.of(
            new IssuedToken(token, "dw_hidden", PolicyUpdate.getDefaultInstance()),
            new NewSession(session, "hidden"))) {
      String printed = String.format("%s %s %s", answer, List.of(answer), Map.of("answer", answer));
      assertFalse(printed.contains("hidden"), printed);
      assertTrue(printed.contains("shown"), printed);
    }
  }

  /** No call answers a message with a secret in it: what is marked as one has a type of the library's. */
  @Test
  void noCallAnswersAMessageWithASecret() {
    for (Class<?> service : SERVICES.keySet()) {
      for (Method method : service.getDeclaredMethods()) {
        if (Message.class.isAssignableFrom(method.getReturnType())) {
          var message = (Message) Internal.getDefaultInstance(method.getReturnType().asSubclass(Message.class));
          for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            assertFalse(field.getOptions().getDebugRedact(), field.getFullName());
          }
        }
      }
    }
  }

  /** A text that would move a cursor, or turn its text, is one line. */
  @Test
  void aTextIsOneLine() {
    assertEquals("a\\u000ab\\u001b[2Jc\\u202ed", Texts.oneLine(" a\nb\u001b[2Jc\u202ed "));
  }
}
