package dev.doorward;

/** This package's version, which servers see in the user agent. */
final class Version {
  static final String VERSION = "0.1.0";

  private Version() {}
}
