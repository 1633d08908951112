package dev.doorward;

import java.io.Serializable;

/**
 * One field that breaks a rule.
 *
 * @param field the field's path in the request, such as {@code app.labels}
 * @param description the rule, and how the value breaks it
 */
public record FieldViolation(String field, String description) implements Serializable {}
