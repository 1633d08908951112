package dev.doorward;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** A call failed. Its text is one line and never holds a token; its cause is gRPC's own exception. */
public final class DoorwardException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Status.Code code;
  private final Details details;

  private DoorwardException(String message, Status.Code code, Details details, Throwable cause) {
    super(message, cause);
    this.code = code;
    this.details = details;
  }

  /** Returns the exception of a failed call to the api at {@code address}. */
  static DoorwardException of(StatusRuntimeException failed, String address, String requestId) {
    Details details = Details.of(failed, Texts.oneLine(requestId));
    Status status = failed.getStatus();
    return new DoorwardException(describe(status, details, address), status.getCode(), details, failed);
  }

  /** Returns the same exception with another text. */
  DoorwardException saying(String message) {
    return new DoorwardException(message, code, details, getCause());
  }

  /** How it failed. */
  public Status.Code code() {
    return code;
  }

  /** Name of a value of {@code ErrorReason}; empty when the error did not come from Doorward. */
  public String reason() {
    return details.info.getReason();
  }

  /** What the comment of that value says, such as {@code app_id}. */
  public Map<String, String> metadata() {
    return details.info.getMetadataMap();
  }

  /** The fields that break a rule. */
  public List<FieldViolation> fieldViolations() {
    return details.violations;
  }

  /** The id under which the server's log and audit have the call; empty when no answer came. */
  public String requestId() {
    return details.requestId;
  }

  /** When the server asks to try again. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(details.retryAfter);
  }

  /** What the server says, or which server it was that said nothing. */
  private static String describe(Status status, Details details, String address) {
    if (!details.violations.isEmpty()) {
      return details.violations.stream()
          .map(each -> Texts.oneLine(each.field() + ": " + each.description()))
          .collect(Collectors.joining("; "));
    }
    String text = Texts.oneLine(status.getDescription());
    if (!details.info.getReason().isEmpty()) {
      return text;
    }
    return switch (status.getCode()) {
      case UNAVAILABLE -> "the api at " + address + " cannot be reached: " + text;
      case DEADLINE_EXCEEDED -> "the api at " + address + " did not answer in time";
      default ->
          text.isEmpty() ? "the api at " + address + " answered " + status.getCode() + " and no reason" : text;
    };
  }

  /** What the server said besides the code; a proxy on the way may have said nothing. */
  private record Details(
      ErrorInfo info, List<FieldViolation> violations, Duration retryAfter, String requestId)
      implements Serializable {

    static Details of(StatusRuntimeException failed, String requestId) {
      com.google.rpc.Status status = StatusProto.fromThrowable(failed);
      ErrorInfo info = ErrorInfo.getDefaultInstance();
      List<FieldViolation> violations = new ArrayList<>();
      Duration retryAfter = null;
      for (Any detail : status == null ? List.<Any>of() : status.getDetailsList()) {
        try {
          if (detail.is(ErrorInfo.class)) {
            info = detail.unpack(ErrorInfo.class);
          } else if (detail.is(BadRequest.class)) {
            for (var each : detail.unpack(BadRequest.class).getFieldViolationsList()) {
              violations.add(new FieldViolation(each.getField(), each.getDescription()));
            }
          } else if (detail.is(RetryInfo.class)) {
            var delay = detail.unpack(RetryInfo.class).getRetryDelay();
            retryAfter = Duration.ofSeconds(Math.max(0, delay.getSeconds()), Math.max(0, delay.getNanos()));
          }
        } catch (InvalidProtocolBufferException notTrusted) {
          continue; // a detail that cannot be read says nothing
        }
      }
      return new Details(info, List.copyOf(violations), retryAfter, requestId);
    }
  }
}
