package dev.cambium.ledger;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where an ecosystem's records lie: in an SQLite file of its own directory, written {@value
 * #LOCAL}, or in a PostgreSQL database, written as its JDBC URL.
 *
 * <p>The address is the declaration's, unless {@value #URL_VARIABLE} says otherwise. User and
 * password come from {@value #USER_VARIABLE} and {@value #PASSWORD_VARIABLE}; without a password,
 * the driver looks into PostgreSQL's own password file. An address that holds a password is
 * refused: it would get into the log with the declaration. No text of this class holds one.
 */
public final class StoreAddress {

  /** The written form of the store in the ecosystem's own directory. */
  public static final String LOCAL = "local";

  /** Variable of the environment that overrides the declaration's address. */
  public static final String URL_VARIABLE = "CAMBIUM_STORE_URL";

  /** Variable of the environment with the database user's name. */
  public static final String USER_VARIABLE = "CAMBIUM_STORE_USER";

  /** Variable of the environment with the database user's password. */
  public static final String PASSWORD_VARIABLE = "CAMBIUM_STORE_PASSWORD";

  private static final String POSTGRES = "jdbc:postgresql:";
  private static final Pattern SECRET =
      Pattern.compile("pass(word|wd|phrase)?[^=&]*=", Pattern.CASE_INSENSITIVE);
  private static final Pattern SCHEME = Pattern.compile("([A-Za-z]+(:[A-Za-z]+)?):");

  private final String written;
  private final @Nullable String user;
  private final @Nullable String password;

  private StoreAddress(String written, @Nullable String user, @Nullable String password) {
    this.written = written;
    this.user = user;
    this.password = password;
  }

  /** The SQLite file of the ecosystem's directory. */
  public static StoreAddress local() {
    return new StoreAddress(LOCAL, null, null);
  }

  /**
   * An address in its written form, with the environment's user and password.
   *
   * @param written {@value #LOCAL} or a JDBC URL
   * @param environment as of {@link System#getenv()}
   * @throws IllegalArgumentException if it is neither, or holds a password; the message does not
   *     repeat it
   */
  public static StoreAddress of(String written, Map<String, String> environment) {
    if (written.equals(LOCAL)) {
      return local();
    }
    if (!written.startsWith(POSTGRES)) {
      Matcher scheme = SCHEME.matcher(written);
      throw new IllegalArgumentException(
          "a store is '"
              + LOCAL
              + "' or a JDBC URL such as jdbc:postgresql://HOST/DATABASE"
              + (scheme.lookingAt()
                  ? ", not a '" + scheme.group(1).toLowerCase(Locale.ROOT) + "' address"
                  : ""));
    }
    int query = written.indexOf('?');
    String server = query < 0 ? written : written.substring(0, query);
    if (server.contains("@") || SECRET.matcher(written).find()) {
      throw new IllegalArgumentException(
          "the store's address holds a user or password before '@', or a password parameter."
              + " Leave it out there; set "
              + USER_VARIABLE
              + " and "
              + PASSWORD_VARIABLE
              + " instead, and change a password that others may have read");
    }
    if (written.chars().anyMatch(c -> c <= ' ' || c == 0x7f)) {
      throw new IllegalArgumentException("the store's address holds a space or control character");
    }
    return new StoreAddress(
        written, present(environment, USER_VARIABLE), present(environment, PASSWORD_VARIABLE));
  }

  /**
   * The address that counts: the environment's, else the declared one, else {@value #LOCAL}.
   *
   * @param declared what the declaration says
   */
  public static StoreAddress of(Optional<String> declared, Map<String, String> environment) {
    String overriding = present(environment, URL_VARIABLE);
    try {
      return of(overriding != null ? overriding : declared.orElse(LOCAL), environment);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          (overriding != null ? URL_VARIABLE : "store") + ": " + e.getMessage(), e);
    }
  }

  private static @Nullable String present(Map<String, String> environment, String variable) {
    String value = environment.get(variable);
    return value == null || value.isBlank() ? null : value;
  }

  /** Whether it is the SQLite file of the ecosystem's directory. */
  public boolean isLocal() {
    return written.equals(LOCAL);
  }

  /** Connections to it. */
  Connector connector(Path directory) {
    return isLocal()
        ? new SqliteConnector(directory.resolve(Ledger.HOME).resolve(Ledger.DATABASE))
        : new PostgresConnector(written, user, password);
  }

  /** The written form; never a user or a password. */
  @Override
  public String toString() {
    return written;
  }
}
