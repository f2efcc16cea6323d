package dev.cambium.artifact.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.safetensors.SafetensorsWriter.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class SafetensorsPropertiesTest {

  private static Path folder;

  @BeforeContainer
  static void makeFolder() throws IOException {
    folder = Files.createTempDirectory("safetensors");
  }

  @AfterContainer
  static void deleteFolder() throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Property(tries = 50)
  void whatWasWrittenComesBack(
      @ForAll("tensors") Map<String, Tensor> tensors,
      @ForAll("metadata") Map<String, String> metadata)
      throws IOException {
    Path file = folder.resolve("round.safetensors");
    SafetensorsWriter.write(file, new TreeMap<>(tensors), metadata);
    try (SafetensorsFile open = SafetensorsFile.open(file)) {
      assertThat(open.metadata()).isEqualTo(metadata);
      assertThat(open.tensors().keySet()).isEqualTo(tensors.keySet());
      tensors.forEach(
          (name, tensor) -> {
            TensorInfo info = open.tensors().get(name);
            assertThat(info.dtype()).isEqualTo(tensor.dtype());
            assertThat(info.shape()).isEqualTo(tensor.shape());
            assertThat(open.bytes(name)).isEqualTo(tensor.bytes());
            assertThat(info.begin() % ((info.dtype().bits() + 7) / 8)).as("aligned").isZero();
          });
    }
    byte[] first = Files.readAllBytes(file);
    assertThat(ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8).isZero();

    SortedMap<String, Tensor> reversed = new TreeMap<>(Comparator.reverseOrder());
    reversed.putAll(tensors);
    Path again = folder.resolve("again.safetensors");
    SafetensorsWriter.write(again, reversed, new TreeMap<>(metadata));
    assertThat(Files.readAllBytes(again)).isEqualTo(first);
    try (var left = Files.list(folder)) {
      assertThat(left.filter(f -> f.getFileName().toString().startsWith(".tmp-"))).isEmpty();
    }
  }

  /** Any header bytes at all: refused by name or read, and never another error. */
  @Property(tries = 400)
  void anyBytesAreReadOrRefused(@ForAll byte[] header, @ForAll("small") int dataSize)
      throws IOException {
    byte[] braced = header.clone();
    if (braced.length > 0) {
      braced[0] = '{';
    }
    readOrRefused(assemble(header, dataSize));
    readOrRefused(assemble(braced, dataSize));
    readOrRefused(header);
  }

  /** A well-formed file with some bytes changed: deeper into the parser than noise gets. */
  @Property(tries = 600)
  void aDamagedFileIsReadOrRefused(@ForAll long seed) throws IOException {
    String header =
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[16,19]}}";
    byte[] bytes = assemble(header.getBytes(StandardCharsets.UTF_8), 19);
    Random random = new Random(seed);
    String alphabet = "{}[]\",:0123456789-.eabnull\\ \u0000";
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      bytes[8 + random.nextInt(header.length())] =
          random.nextBoolean()
              ? (byte) alphabet.charAt(random.nextInt(alphabet.length()))
              : (byte) random.nextInt();
    }
    readOrRefused(bytes);
  }

  /** Found by the property above: what is found is said even where it is empty. */
  @Example
  void anEmptyTextInPlaceOfATensorIsNamed() throws IOException {
    byte[] bytes = assemble("{\"b\":\"\"}".getBytes(StandardCharsets.UTF_8), 0);
    Path file = Files.write(folder.resolve("empty.safetensors"), bytes);
    assertThatThrownBy(() -> SafetensorsFile.open(file).close())
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("b: found \"\"; expected an object");
  }

  private static void readOrRefused(byte[] bytes) throws IOException {
    Path file = Files.write(folder.resolve("noise.safetensors"), bytes);
    try (SafetensorsFile open = SafetensorsFile.open(file)) {
      long total = 0;
      for (TensorInfo info : open.tensors().values()) {
        assertThat(open.bytes(info.name()).remaining())
            .isEqualTo((int) info.dtype().bytes(info.elements()));
        total += info.size();
      }
      long headerLength = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
      assertThat(8 + headerLength + total).as("every byte accounted for").isEqualTo(bytes.length);
    } catch (SafetensorsException refused) {
      assertThat(refused.key()).isNotNull();
      assertThat(refused.found()).isNotEmpty();
      assertThat(refused.expected()).isNotEmpty();
    }
  }

  private static byte[] assemble(byte[] header, int dataSize) {
    return ByteBuffer.allocate(8 + header.length + dataSize)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .array();
  }

  @Provide
  Arbitrary<Integer> small() {
    return Arbitraries.integers().between(0, 32);
  }

  @Provide
  Arbitrary<Map<String, String>> metadata() {
    return Arbitraries.maps(text(), text()).ofMaxSize(4);
  }

  @Provide
  Arbitrary<Map<String, Tensor>> tensors() {
    Arbitrary<Tensor> tensor =
        Combinators.combine(
                Arbitraries.of(DType.class),
                Arbitraries.longs().between(0, 4).list().ofMaxSize(3),
                Arbitraries.longs())
            .as(
                (dtype, sizes, seed) -> {
                  // The last size is a multiple of 8, so that packed types fill whole bytes.
                  List<Long> shape = new ArrayList<>(sizes);
                  shape.add(8L);
                  long elements = shape.stream().reduce(1L, (x, y) -> x * y);
                  byte[] bytes = new byte[(int) dtype.bytes(elements)];
                  new Random(seed).nextBytes(bytes);
                  return new Tensor(dtype, shape, ByteBuffer.wrap(bytes));
                });
    return Arbitraries.maps(text().filter(n -> !n.equals("__metadata__")), tensor).ofMaxSize(6);
  }

  private static Arbitrary<String> text() {
    return Arbitraries.strings()
        .ofMaxLength(12)
        .filter(s -> StandardCharsets.UTF_8.newEncoder().canEncode(s));
  }
}
