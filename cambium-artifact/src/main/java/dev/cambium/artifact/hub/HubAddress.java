package dev.cambium.artifact.hub;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A repository on a hub at a revision: {@code hf://OWNER/NAME@REVISION}.
 *
 * @param revision a branch, a tag or a commit
 */
public record HubAddress(String owner, String name, String revision) {

  /** What an address begins with. */
  public static final String SCHEME = "hf://";

  private static final String MAIN = "main";
  private static final Pattern ADDRESS =
      Pattern.compile(
          "hf://(?<owner>[A-Za-z0-9][A-Za-z0-9._-]{0,95})/(?<name>[A-Za-z0-9][A-Za-z0-9._-]{0,95})"
              + "(?:@(?<revision>[A-Za-z0-9][A-Za-z0-9._/-]{0,199}))?");

  /** Whether a text means a hub rather than a directory. */
  public static boolean isOne(String text) {
    return text.startsWith(SCHEME);
  }

  /**
   * Reads an address; without a revision it is {@code main}.
   *
   * @throws HubException if it is none
   */
  public static HubAddress parse(String text) {
    Matcher matcher = ADDRESS.matcher(text);
    if (!matcher.matches() || text.contains("..")) {
      throw new HubException(
          "'"
              + text
              + "' is no address of a model; write hf://OWNER/NAME or hf://OWNER/NAME@REVISION");
    }
    String revision = matcher.group("revision");
    return new HubAddress(
        matcher.group("owner"), matcher.group("name"), revision == null ? MAIN : revision);
  }

  /** The repository, {@code OWNER/NAME}. */
  public String repository() {
    return owner + "/" + name;
  }

  /** The same repository at one commit. */
  HubAddress at(String commit) {
    return new HubAddress(owner, name, commit);
  }

  /** A revision as one segment of a path: a slash in it is no separator. */
  static String segment(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  @Override
  public String toString() {
    return SCHEME + owner + "/" + name + "@" + revision;
  }
}
