package dev.cambium.cli;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The modules are a house with one-way stairs. This module sees all of them, so it is here that the
 * stairs are checked.
 */
class ArchitectureTest {

  /** What each module may use of the others; what is not named it may not. */
  private static final Map<String, List<String>> STAIRS =
      Map.of(
          "model", List.of(),
          "stats", List.of(),
          "artifact", List.of("model", "stats"),
          "ledger", List.of("model", "stats"),
          "engine", List.of("model", "stats", "artifact"),
          "loop", List.of("model", "stats", "artifact", "ledger", "engine"),
          "report", List.of("model", "stats", "ledger", "loop"),
          "story", List.of("model", "stats", "artifact", "ledger", "engine", "loop", "report"),
          "cli",
              List.of("model", "stats", "artifact", "ledger", "engine", "loop", "report", "story"));

  private static JavaClasses all;

  @BeforeAll
  static void read() {
    all =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.cambium");
  }

  private static String in(String module) {
    return "dev.cambium." + module + "..";
  }

  @Test
  void everyModuleIsOnTheStairs() {
    Set<String> found = new TreeSet<>();
    all.forEach(c -> found.add(c.getPackageName().split("\\.", 4)[2]));
    assertThat(found).containsExactlyInAnyOrderElementsOf(STAIRS.keySet());
  }

  @Test
  void dependenciesGoDownTheStairsOnly() {
    STAIRS.forEach(
        (module, below) -> {
          String[] allowed =
              Stream.concat(Stream.of(module), below.stream())
                  .map(ArchitectureTest::in)
                  .toArray(String[]::new);
          noClasses()
              .that()
              .resideInAPackage(in(module))
              .should()
              .dependOnClassesThat(
                  resideInAnyPackage("dev.cambium..").and(resideOutsideOfPackages(allowed)))
              .because(module + " may use " + below + " only")
              .check(all);
        });
  }

  @Test
  void tensorsStayInTheEngine() {
    noClasses()
        .that()
        .resideOutsideOfPackage(in("engine"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.bytedeco..")
        .because("native memory has one owner")
        .check(all);
  }

  @Test
  void theDatabaseStaysInTheLedger() {
    noClasses()
        .that()
        .resideOutsideOfPackage(in("ledger"))
        .and()
        .doNotHaveFullyQualifiedName("dev.cambium.story.Tampering") // it forges
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "java.sql..", "org.jooq..", "org.sqlite..", "org.postgresql..", "org.flywaydb..")
        .because("what happened is read through LedgerState, whatever keeps it")
        .check(all);
  }

  @Test
  void theLanguageDoesNoInputOrOutput() {
    noClasses()
        .that()
        .resideInAnyPackage(in("model"), in("stats"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.nio.file..", "java.sql..", "java.net..")
        .check(all);
  }

  @Test
  void packagesOfAModuleDoNotGoInCircles() {
    slices().matching("dev.cambium.(*)..").should().beFreeOfCycles().check(all);
  }

  @Test
  void nothingIsCalledUtil() {
    classes()
        .should()
        .resideOutsideOfPackages("..util..", "..utils..", "..common..", "..helper..")
        .andShould()
        .haveSimpleNameNotEndingWith("Util")
        .andShould()
        .haveSimpleNameNotEndingWith("Utils")
        .andShould()
        .haveSimpleNameNotEndingWith("Helper")
        .check(all);
  }

  @Test
  void everyPackageIsNullMarked() {
    Set<String> unmarked = new TreeSet<>();
    for (var type : all) {
      JavaPackage home = type.getPackage();
      if (!home.isAnnotatedWith(NullMarked.class)) {
        unmarked.add(home.getName());
      }
    }
    assertThat(unmarked).as("packages without @NullMarked in package-info.java").isEmpty();
  }
}
