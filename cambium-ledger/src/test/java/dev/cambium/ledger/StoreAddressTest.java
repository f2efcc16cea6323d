package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoreAddressTest {

  private static final String SECRET = "hunter2";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:postgresql://ann:hunter2@db/fleet",
        "jdbc:postgresql://hunter2@db/fleet",
        "jdbc:postgresql://db/fleet?password=hunter2",
        "jdbc:postgresql://db/fleet?ssl=true&Password=hunter2",
        "jdbc:postgresql://db/fleet?sslpassword=hunter2",
        "jdbc:postgresql://db/fleet?passwd=hunter2",
        "postgresql://ann:hunter2@db/fleet",
        "ann:hunter2@db/fleet",
        "jdbc:mysql://ann:hunter2@db/fleet",
        "jdbc:postgresql://db/fleet?application=hunter2 x",
        ""
      })
  void whatIsNoAddressIsRefusedWithoutRepeatingIt(String written) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StoreAddress.of(Optional.of(written), Map.of()))
        .satisfies(e -> assertThat(trace(e)).doesNotContain(SECRET).contains("store"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StoreAddress.of(written, Map.of()))
        .satisfies(e -> assertThat(trace(e)).doesNotContain(SECRET));
  }

  @Test
  void theEnvironmentCountsBeforeTheDeclaration() {
    Optional<String> declared = Optional.of("jdbc:postgresql://db/declared");
    assertThat(StoreAddress.of(Optional.empty(), Map.of()).isLocal()).isTrue();
    assertThat(StoreAddress.of(declared, Map.of())).hasToString("jdbc:postgresql://db/declared");
    assertThat(StoreAddress.of(declared, Map.of(StoreAddress.URL_VARIABLE, "local")).isLocal())
        .isTrue();
    assertThat(StoreAddress.of(declared, Map.of(StoreAddress.URL_VARIABLE, " ")))
        .hasToString("jdbc:postgresql://db/declared");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StoreAddress.of(declared, Map.of(StoreAddress.URL_VARIABLE, "db")))
        .withMessageContaining(StoreAddress.URL_VARIABLE);
  }

  @Test
  void aPasswordIsInNoTextAndNoFailure(@TempDir Path directory) {
    StoreAddress address =
        StoreAddress.of(
            "jdbc:postgresql://localhost:1/fleet",
            Map.of(StoreAddress.USER_VARIABLE, "ann", StoreAddress.PASSWORD_VARIABLE, SECRET));
    assertThat(address.toString()).doesNotContain(SECRET).doesNotContain("ann");
    assertThatThrownBy(() -> Ledger.create(directory, address, InstantSource.system()))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("jdbc:postgresql://localhost:1/fleet")
        .hasMessageContaining(StoreAddress.PASSWORD_VARIABLE)
        .satisfies(e -> assertThat(trace(e)).doesNotContain(SECRET));
    assertThat(directory).as("nothing was begun").isEmptyDirectory();
  }

  @Test
  void aServerThatAsksForAPasswordIsGivenIt(@TempDir Path directory) throws Exception {
    String url = PostgresServer.shared().demanding("ann", SECRET);
    Path refused = directory.resolve("refused");
    Files.createDirectories(refused);
    for (String wrong : List.of("", SECRET + "x")) {
      assertThatThrownBy(
              () -> Ledger.create(refused, as("ann", wrong, url), InstantSource.system()))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining(StoreAddress.PASSWORD_VARIABLE)
          .satisfies(e -> assertThat(trace(e)).doesNotContain(SECRET));
      assertThat(refused).isEmptyDirectory();
    }
    Path taken = Files.createDirectories(directory.resolve("taken"));
    try (Ledger ledger = Ledger.create(taken, as("ann", SECRET, url), InstantSource.system())) {
      assertThat(ledger.state().size()).isEqualTo(0);
    }
  }

  private static StoreAddress as(String user, String password, String url) {
    return StoreAddress.of(
        url, Map.of(StoreAddress.USER_VARIABLE, user, StoreAddress.PASSWORD_VARIABLE, password));
  }

  private static String trace(Throwable thrown) {
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }
}
