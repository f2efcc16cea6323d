package dev.cambium.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What this is, for {@code --version}. */
final class Version implements IVersionProvider {

  @Override
  public String[] getVersion() throws IOException {
    Properties properties = new Properties();
    try (InputStream in =
        Version.class.getResourceAsStream("/dev/cambium/cli/version.properties")) {
      if (in != null) {
        properties.load(in);
      }
    }
    String revision = System.getProperty("cambium.revision", "");
    return new String[] {
      "cambium "
          + properties.getProperty("version", "unknown")
          + (revision.isEmpty() ? "" : " (" + revision + ")"),
      "Java " + System.getProperty("java.version") + ", " + System.getProperty("java.vendor")
    };
  }
}
