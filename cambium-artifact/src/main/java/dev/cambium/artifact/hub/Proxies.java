package dev.cambium.artifact.hub;

import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The proxies that the environment names, as curl and Python read it: {@code HTTPS_PROXY}, {@code
 * HTTP_PROXY} and {@code NO_PROXY}, in capitals or not.
 */
final class Proxies extends ProxySelector {

  private static final String TUNNELLING = "jdk.http.auth.tunneling.disabledSchemes";

  private final Map<String, URI> byScheme;
  private final List<String> without;

  private Proxies(Map<String, URI> byScheme, List<String> without) {
    this.byScheme = byScheme;
    this.without = without;
  }

  /**
   * Reads them.
   *
   * @throws HubException if one is no address
   */
  static Proxies of(Map<String, String> environment) {
    Map<String, URI> proxies = new java.util.HashMap<>();
    for (String scheme : List.of("http", "https")) {
      String variable = scheme.toUpperCase(Locale.ROOT) + "_PROXY";
      String given = variable(environment, variable);
      if (!given.isEmpty()) {
        proxies.put(scheme, proxy(variable, given));
      }
    }
    List<String> without = new ArrayList<>();
    for (String entry : variable(environment, "NO_PROXY").split("[,\\s]+", -1)) {
      if (!entry.isBlank()) {
        without.add(entry.strip().toLowerCase(Locale.ROOT).replaceFirst("^\\*?\\.", ""));
      }
    }
    return new Proxies(proxies, without);
  }

  private static String variable(Map<String, String> environment, String name) {
    String lower = environment.get(name.toLowerCase(Locale.ROOT));
    return lower != null ? lower.strip() : environment.getOrDefault(name, "").strip();
  }

  private static URI proxy(String variable, String given) {
    try {
      URI uri = URI.create(given.contains("://") ? given : "http://" + given);
      if (uri.getHost() != null && "http".equalsIgnoreCase(uri.getScheme())) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // said below, without the value: it may hold a password
    }
    throw new HubException(variable + " is not the address of an HTTP proxy (http://HOST:PORT)");
  }

  @Override
  public List<Proxy> select(URI uri) {
    URI proxy = byScheme.get(uri.getScheme());
    if (proxy == null || exempt(uri)) {
      return List.of(Proxy.NO_PROXY);
    }
    int port = proxy.getPort() < 0 ? 80 : proxy.getPort();
    return List.of(new Proxy(Proxy.Type.HTTP, new InetSocketAddress(proxy.getHost(), port)));
  }

  private boolean exempt(URI uri) {
    String host = uri.getHost().toLowerCase(Locale.ROOT);
    String withPort = host + ":" + uri.getPort();
    return without.stream()
        .anyMatch(
            entry ->
                entry.equals("*")
                    || host.equals(entry)
                    || withPort.equals(entry)
                    || host.endsWith("." + entry));
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException failure) {
    // the request fails, and says so
  }

  /** Answers proxies that ask who is there, where the environment says it; never other servers. */
  Optional<Authenticator> authenticator() {
    if (byScheme.values().stream().noneMatch(proxy -> proxy.getUserInfo() != null)) {
      return Optional.empty();
    }
    // The JDK refuses Basic authentication of tunnels unless it is told not to.
    if (System.getProperty(TUNNELLING) == null) {
      System.setProperty(TUNNELLING, "");
    }
    return Optional.of(
        new Authenticator() {
          @Override
          protected @Nullable PasswordAuthentication getPasswordAuthentication() {
            if (getRequestorType() != RequestorType.PROXY) {
              return null;
            }
            for (URI proxy : byScheme.values()) {
              String user = proxy.getUserInfo();
              if (user != null && proxy.getHost().equalsIgnoreCase(getRequestingHost())) {
                int colon = user.indexOf(':');
                return new PasswordAuthentication(
                    colon < 0 ? user : user.substring(0, colon),
                    (colon < 0 ? "" : user.substring(colon + 1)).toCharArray());
              }
            }
            return null;
          }
        });
  }
}
