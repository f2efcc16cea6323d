package dev.cambium.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.loop.Cambium.RunReport;
import dev.cambium.model.Fact;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a person reads when a campaign has ended. */
class RunCommandTest {

  private static String told(Fact.Settlement cards) {
    StringWriter written = new StringWriter();
    try (Console console =
        new Console(
            new PrintWriter(written), new PrintWriter(written), Terminal.NONE, false, false)) {
      RunCommand.write(
          new RunReport(
              "c7",
              Fact.CampaignOutcome.INCONCLUSIVE,
              null,
              List.of(
                  new Fact.LineSettled("c7", "cards", cards, null, null, "too little evidence"),
                  new Fact.LineSettled("c7", "loans", Fact.Settlement.KEPT, null, null, "alike")),
              List.of()),
          console);
    }
    return written.toString();
  }

  @Test
  void aLineThatIsHeldIsNotTriedAgainByItselfAndThatIsSaid() {
    assertThat(told(Fact.Settlement.HELD)).contains("Held: cards. The signals are answered");
    assertThat(told(Fact.Settlement.RELEASED)).doesNotContain("Held:");
  }
}
