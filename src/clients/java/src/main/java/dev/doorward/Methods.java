package dev.doorward;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import java.util.UUID;

/** What the protos say of a method and its messages. */
final class Methods {
  private Methods() {}

  /** Whether calling a method twice does what calling it once does. */
  static boolean mayBeRepeated(MethodDescriptor<?, ?> method, Message request) {
    return method.isIdempotent() || requestId(request) != null;
  }

  /** Whether an answer says how far a change has reached, which may take as long as a policy lease. */
  static boolean isEnforced(Message answer) {
    return answer.getDescriptorForType().findFieldByName("policy_update") != null;
  }

  /** An empty answer of a method. */
  static Message prototype(MethodDescriptor<?, ?> method) {
    return (Message)
        ((MethodDescriptor.PrototypeMarshaller<?>) method.getResponseMarshaller()).getMessagePrototype();
  }

  /** Returns the request, with an id of its own when it has room for one and the caller gave none. */
  @SuppressWarnings("unchecked") // a builder makes what it was made of
  static <T extends Message> T identified(T request) {
    FieldDescriptor field = requestId(request);
    if (field == null || !request.getField(field).equals("")) {
      return request;
    }
    return (T) request.toBuilder().setField(field, UUID.randomUUID().toString()).build();
  }

  private static FieldDescriptor requestId(Message request) {
    return request.getDescriptorForType().findFieldByName("request_id");
  }
}
