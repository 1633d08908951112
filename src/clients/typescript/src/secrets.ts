import type { DescMessage, MessageShape } from "@bufbuild/protobuf";

/** What Node asks an object for that it prints. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * Keeps the fields of a message that protos/ marks as secrets (`debug_redact`) out of what is printed of it, by
 * `console.log` in Node.js and as JSON. They are read, sent and converted as any other.
 */
export function hideSecrets<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  const secrets = schema.fields.filter((field) => field.proto.options?.debugRedact);
  if (secrets.length > 0) {
    const hidden = Object.fromEntries(secrets.map((field) => [field.localName, "[REDACTED]"]));
    const value = () => ({ ...message, ...hidden });
    Object.defineProperty(message, INSPECT, { value });
    Object.defineProperty(message, "toJSON", { value });
  }
}
