package dev.doorward;

/** Texts of servers, for people. */
final class Texts {
  private Texts() {}

  /** Escapes all that could move a terminal's cursor or turn its text; nothing for null. */
  static String oneLine(String text) {
    StringBuilder line = new StringBuilder();
    (text == null ? "" : text.strip())
        .codePoints()
        .forEach(
            each -> {
              if (isPrintable(each)) {
                line.appendCodePoint(each);
              } else {
                line.append(String.format("\\u%04x", each));
              }
            });
    return line.toString();
  }

  private static boolean isPrintable(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
