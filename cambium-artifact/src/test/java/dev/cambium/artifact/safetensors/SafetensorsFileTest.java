package dev.cambium.artifact.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsFileTest {

  @TempDir Path folder;

  @Test
  void readsWhatPythonWrote() throws URISyntaxException {
    Path file =
        Path.of(SafetensorsFileTest.class.getResource("/safetensors/python.safetensors").toURI());
    try (SafetensorsFile open = SafetensorsFile.open(file)) {
      assertThat(open.metadata())
          .containsOnly(Map.entry("format", "pt"), Map.entry("note", "line\n\"quoted\" é"));
      assertThat(open.tensors())
          .containsOnlyKeys("f32", "f16", "bf16", "i64", "bool", "u8", "empty", "naïve/日本");
      assertThat(open.tensors().get("f32").shape()).containsExactly(2L, 3L);
      ByteBuffer f32 = open.bytes("f32");
      assertThat(f32.isReadOnly()).isTrue();
      assertThat(f32.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
      float[] values = new float[6];
      f32.asFloatBuffer().get(values);
      assertThat(values).containsExactly(1.5f, -2f, 3.25f, 0f, Float.POSITIVE_INFINITY, -1e-30f);
      ByteBuffer f16 = open.bytes("f16");
      assertThat(List.of(f16.getShort(0), f16.getShort(2), f16.getShort(4)))
          .containsExactly((short) 0x3c00, (short) 0xb800, (short) 0x7bff);
      assertThat(open.bytes("bf16").getShort(2)).isEqualTo((short) 0xc040);
      assertThat(open.bytes("i64").getLong(8)).isEqualTo(-(1L << 62));
      assertThat(open.bytes("bool").get(2)).isEqualTo((byte) 1);
      assertThat(open.tensors().get("u8").shape()).isEmpty();
      assertThat(open.tensors().get("u8").elements()).isEqualTo(1);
      assertThat(open.bytes("u8").get(0)).isEqualTo((byte) 7);
      assertThat(open.tensors().get("empty").elements()).isZero();
      assertThat(open.bytes("empty").remaining()).isZero();
      assertThat(open.bytes("naïve/日本").getInt(0)).isEqualTo(9);
    }
  }

  @Test
  void buffersOutliveTheFile() {
    Path file = write("{\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
    ByteBuffer bytes;
    try (SafetensorsFile open = SafetensorsFile.open(file)) {
      bytes = open.bytes("a");
    }
    assertThat(bytes.getInt(0)).isZero();
  }

  @Test
  void anUnknownNameIsSaid() {
    try (SafetensorsFile open = SafetensorsFile.open(write("{}", 0))) {
      assertThat(open.tensors()).isEmpty();
      assertThatThrownBy(() -> open.bytes("w"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no tensor 'w'");
    }
  }

  @Test
  void aMissingFileAndAFolderAreSaid() {
    assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("none.safetensors")))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("none.safetensors");
    assertThatThrownBy(() -> SafetensorsFile.open(folder))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("not a regular file");
  }

  @Test
  void refusesAnEmptyFile() {
    refused(new byte[0], "header length", "0 bytes");
  }

  @Test
  void refusesAFileOfOnlyALength() {
    refused(
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(2).array(),
        "header length",
        "8 bytes");
  }

  @Test
  void refusesAHeaderLongerThanTheFile() {
    byte[] bytes = file("{}", 4);
    bytes[0] = 7;
    refused(bytes, "header length", "7", "2 to 6");
  }

  @Test
  void refusesAHeaderLengthThatIsNegativeAsALong() {
    byte[] bytes = file("{}", 4);
    bytes[7] = (byte) 0x80;
    refused(bytes, "header length", "9223372036854775810");
  }

  @Test
  void refusesAnEmptyHeader() {
    refused(file("", 4), "header length", "0");
  }

  @Test
  void refusesAHeaderBeyondTheFormatsLimitEvenIfTheFileIsLonger() throws IOException {
    Path file = folder.resolve("sparse.safetensors");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.write(file("{}", 0));
      sparse.setLength(150_000_000);
      sparse.seek(0);
      sparse.writeLong(Long.reverseBytes(100_000_001));
    }
    SafetensorsException e = refusal(file);
    assertThat(e.key()).isEqualTo("header length");
    assertThat(e.found()).isEqualTo("100000001");
    assertThat(e.expected()).contains("100000000, the format's limit");
  }

  @Test
  void refusesBytesThatAreNotUtf8() {
    byte[] bytes = file("{\"a?\":1}", 0);
    bytes[8 + 3] = (byte) 0xff;
    refused(bytes, "header", "not UTF-8");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[]|begins with byte 0x5b",
        "x{}|begins with byte 0x78",
        "{\"a\":|malformed JSON",
        "{'a':1}|malformed JSON",
        "{}{}|more after the JSON object",
        "{} x|malformed JSON",
      })
  void refusesWhatIsNotOneJsonObject(String header, String found) {
    refused(file(header, 0), "header", found);
  }

  @Test
  void acceptsSpacesBehindTheObject() {
    try (SafetensorsFile open = SafetensorsFile.open(write("{}      ", 0))) {
      assertThat(open.tensors()).isEmpty();
    }
  }

  @Test
  void refusesATensorNamedTwice() {
    String entry = "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
    refused(file("{" + entry + "," + entry + "}", 0), "a", "the key twice");
  }

  @Test
  void refusesAKeyOfATensorTwice() {
    refused(
        file("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0),
        "a",
        "'dtype' twice");
  }

  @Test
  void refusesMetadataTwice() {
    refused(file("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "__metadata__", "the key twice");
    refused(
        file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0), "__metadata__.k", "the key twice");
  }

  @Test
  void refusesMetadataThatAreNotStrings() {
    refused(file("{\"__metadata__\":{\"k\":1}}", 0), "__metadata__.k", "1", "a string");
    refused(file("{\"__metadata__\":[]}", 0), "__metadata__", "START_ARRAY");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // what the entry of 'a' is | what the refusal says was found
        "1|1",
        "{}|only the keys []",
        "{\"dtype\":\"U8\",\"shape\":[4]}|only the keys",
        "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"stride\":1}|unknown key 'stride'",
        "{\"dtype\":\"F33\",\"shape\":[4],\"data_offsets\":[0,4]}|dtype 'F33'",
        "{\"dtype\":8,\"shape\":[4],\"data_offsets\":[0,4]}|8",
        "{\"dtype\":\"U8\",\"shape\":4,\"data_offsets\":[0,4]}|4",
        "{\"dtype\":\"U8\",\"shape\":[4.0],\"data_offsets\":[0,4]}|4.0",
        "{\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]}|shape with -4",
        "{\"dtype\":\"U8\",\"shape\":[9223372036854775808],\"data_offsets\":[0,4]}|shape with 9223372036854775808",
        "{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}|shape [4294967296, 4294967296] of U8",
        "{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,4]}|shape [2305843009213693952] of F64",
        "{\"dtype\":\"F6_E2M3\",\"shape\":[3],\"data_offsets\":[0,4]}|shape [3] of F6_E2M3",
        "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0]}|data_offsets [0]",
        "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}|data_offsets [4, 0]",
        "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[-1,3]}|data_offsets with -1",
        "{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,4]}|a range of 4 bytes",
        "{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[0,5]}|outside of the file",
        "{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[1,4]}|after a gap",
      })
  void refusesAMalformedTensor(String entry, String found) {
    refused(file("{\"a\":" + entry + "}", 4), "a", found);
  }

  @Test
  void refusesOverlappingRanges() {
    refused(
        file(
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
            4),
        "b",
        "overlapping 'a'",
        "begins at 3");
  }

  @Test
  void refusesAGapBetweenRanges() {
    refused(
        file(
            "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[3,4]},"
                + "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
            4),
        "b",
        "after a gap behind 'a'",
        "begins at 2");
  }

  @Test
  void refusesTrailingBytes() {
    refused(
        file("{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}", 5),
        "data",
        "2 trailing bytes");
  }

  @Test
  void refusesANameWithHalfASurrogatePair() {
    refused(
        file("{\"\\ud800\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0),
        "header",
        "half a surrogate pair");
  }

  @Test
  void refusesAPickleByName() {
    // Protocol 2 and the magic number that torch.save's old format begins with.
    byte[] pickle = new byte[200];
    pickle[0] = (byte) 0x80;
    pickle[1] = 2;
    pickle[2] = (byte) 0x8a;
    pickle[3] = 0x0a;
    refused(pickle, "header length", "this is a pickle");
    // The first eight bytes of a pickle can also be a plausible length.
    byte[] plausible = new byte[2000];
    plausible[0] = (byte) 0x80;
    plausible[1] = 2;
    refused(plausible, "header", "this is a pickle");
  }

  @Test
  void acceptsAHeaderWhoseLengthLooksLikeAPickle() {
    String header = "{}" + " ".repeat(0x280 - 2);
    assertThat(file(header, 0)).startsWith(0x80, 2);
    try (SafetensorsFile open = SafetensorsFile.open(write(header, 0))) {
      assertThat(open.tensors()).isEmpty();
    }
  }

  @Test
  void refusesAZipByName() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("archive/data.pkl"));
      zip.write(1);
    }
    refused(bytes.toByteArray(), "header length", "zip archive");
  }

  @Test
  void refusesOtherKnownFormatsByName() {
    refused(
        "GGUF\3\0\0\0\0\0\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1), "header length", "GGUF");
    refused(
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
            .getBytes(StandardCharsets.ISO_8859_1),
        "header length",
        "Git LFS pointer");
  }

  @Test
  void refusesATensorLargerThanABuffer() throws IOException {
    long big = 1L << 31;
    Path file = folder.resolve("big.safetensors");
    String header =
        "{\"big\":{\"dtype\":\"U8\",\"shape\":["
            + big
            + "],\"data_offsets\":[4,"
            + (big + 4)
            + "]},"
            + "\"small\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            + "\"last\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":["
            + (big + 4)
            + ","
            + (big + 8)
            + "]}}";
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      byte[] start = file(header, 0);
      sparse.write(start);
      sparse.writeInt(Integer.reverseBytes(42));
      sparse.setLength(start.length + big + 4);
      sparse.seek(start.length + big + 4);
      sparse.writeInt(Integer.reverseBytes(43));
    }
    try (SafetensorsFile open = SafetensorsFile.open(file)) {
      assertThat(open.bytes("small").getInt(0)).isEqualTo(42);
      assertThat(open.bytes("last").getInt(0)).isEqualTo(43);
      assertThatThrownBy(() -> open.bytes("big"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("big: found 2147483648 bytes");
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void everyTypeComesBack(DType dtype) {
    int bytes = (int) dtype.bytes(8);
    byte[] content = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      content[i] = (byte) (i + 1);
    }
    Path file = folder.resolve(dtype + ".safetensors");
    SafetensorsWriter.write(
        file,
        new TreeMap<>(
            Map.of(
                "t",
                new SafetensorsWriter.Tensor(dtype, List.of(2L, 4L), ByteBuffer.wrap(content)))),
        Map.of());
    try (SafetensorsFile open = SafetensorsFile.open(file)) {
      assertThat(open.tensors().get("t"))
          .isEqualTo(new TensorInfo("t", dtype, List.of(2L, 4L), 0, bytes));
      byte[] back = new byte[bytes];
      open.bytes("t").get(back);
      assertThat(back).isEqualTo(content);
    }
  }

  private void refused(byte[] content, String key, String found) {
    refused(content, key, found, "");
  }

  private void refused(byte[] content, String key, String found, String expected) {
    SafetensorsException e = refusal(write(content));
    assertThat(e.key()).isEqualTo(key);
    assertThat(e.found()).contains(found);
    assertThat(e.expected()).contains(expected).isNotEmpty();
    assertThat(e.file()).isEqualTo(folder.resolve("case.safetensors"));
    assertThat(e).hasMessageContaining("case.safetensors").hasMessageContaining(key);
  }

  private static SafetensorsException refusal(Path file) {
    SafetensorsException e =
        catchThrowableOfType(SafetensorsException.class, () -> SafetensorsFile.open(file).close());
    assertThat(e).as("refused").isNotNull();
    return e;
  }

  private Path write(String header, int dataSize) {
    return write(file(header, dataSize));
  }

  private Path write(byte[] content) {
    try {
      return Files.write(folder.resolve("case.safetensors"), content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] file(String header, int dataSize) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + dataSize)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }
}
