package dev.doorward;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The address of an api.
 *
 * @param uri what gRPC dials
 * @param address what people read
 * @param local whether what is sent there stays on this machine
 */
record Target(String uri, String address, boolean local) {
  private static final Pattern HOST_AND_PORT =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):([0-9]{1,5})");
  private static final Pattern UNIX = Pattern.compile("unix:(?://)?([^\\x00-\\x20\\x7f]+)");
  private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");

  /**
   * Reads {@code host:port}, {@code [IPv6]:port} or {@code unix:/path}.
   *
   * <p>Only {@code localhost} and loopback addresses count as local. A name below {@code .localhost} does not:
   * not every resolver keeps those on the machine (RFC 6761 §6.3 asks for it), and a token may ride on the
   * answer.
   */
  static Target parse(String address) {
    Matcher unix = UNIX.matcher(address);
    if (unix.matches()) {
      return new Target("unix:" + unix.group(1), "unix:" + unix.group(1), true);
    }
    Matcher form = HOST_AND_PORT.matcher(address);
    if (!form.matches() || port(form) < 1 || port(form) > 65535) {
      throw new ConfigurationException(
          "address \"" + Texts.oneLine(address) + "\": expected host:port, [IPv6]:port or unix:/path, no scheme");
    }
    String path = address.replace("[", "%5B").replace("]", "%5D"); // RFC 3986 has brackets in authorities alone
    return new Target("dns:///" + path, address, isLoopback(form.group(1)));
  }

  private static int port(Matcher form) {
    return Integer.parseInt(form.group(2));
  }

  private static boolean isLoopback(String host) {
    if (host.equalsIgnoreCase("localhost")) {
      return true;
    }
    if (!host.startsWith("[") && !IPV4.matcher(host).matches()) {
      return false; // a name, which is not looked up here
    }
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException notAnAddress) {
      return false;
    }
  }
}
