package dev.cambium.artifact.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A file's header: a JSON object that maps each tensor's name to {@code {"dtype": …, "shape": […],
 * "data_offsets": [begin, end]}}, and optionally {@code "__metadata__"} to an object of strings.
 *
 * <p>Checked here, so that no later code has to: strict UTF-8; one object and nothing after it but
 * spaces; no key twice; known dtypes; shapes whose product fits; dtype × shape = range; the ranges
 * tile the data section exactly (no overlap, no gap, nothing outside it, nothing left over).
 */
record Header(SortedMap<String, TensorInfo> tensors, SortedMap<String, String> metadata) {

  static final String METADATA = "__metadata__";

  /** Parses and checks. {@code dataSize} is the number of bytes after the header. */
  static Header parse(Path file, ByteBuffer json, long dataSize) {
    String text;
    try {
      text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(json)
              .toString();
    } catch (CharacterCodingException e) {
      throw new SafetensorsException(
          file, "header", "bytes that are not UTF-8 (" + e.getMessage() + ")", "UTF-8 text");
    }
    Header header;
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      header = new Reading(file, parser).header();
    } catch (JsonProcessingException e) {
      throw new SafetensorsException(
          file, "header", "malformed JSON (" + e.getOriginalMessage() + ")", "one JSON object");
    } catch (IOException e) {
      throw new AssertionError("reading a string", e);
    }
    checkRanges(file, header.tensors.values(), dataSize);
    return header;
  }

  private static void checkRanges(Path file, Collection<TensorInfo> tensors, long dataSize) {
    List<TensorInfo> inOrder = new ArrayList<>(tensors);
    inOrder.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
    long reached = 0;
    String before = "the start of the data";
    for (TensorInfo tensor : inOrder) {
      String range = "bytes [" + tensor.begin() + ", " + tensor.end() + ")";
      if (tensor.end() > dataSize) {
        throw new SafetensorsException(
            file,
            tensor.name(),
            range + ", outside of the file",
            "ranges within the " + dataSize + " bytes of data (is the file cut short?)");
      }
      if (tensor.begin() != reached) {
        throw new SafetensorsException(
            file,
            tensor.name(),
            range
                + (tensor.begin() < reached ? ", overlapping " : ", after a gap behind ")
                + before,
            "a range that begins at " + reached);
      }
      reached = tensor.end();
      before = "'" + tensor.name() + "'";
    }
    if (reached != dataSize) {
      throw new SafetensorsException(
          file,
          "data",
          (dataSize - reached) + " trailing bytes that belong to no tensor",
          "the data to end at byte " + reached + ", with " + before);
    }
  }

  /** One pass over the JSON tokens: duplicates are seen, and nothing unknown is skipped. */
  private record Reading(Path file, JsonParser parser) {

    Header header() throws IOException {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw refused("header", describe(), "a JSON object");
      }
      SortedMap<String, TensorInfo> tensors = new TreeMap<>();
      @Nullable SortedMap<String, String> metadata = null;
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        parser.nextToken();
        if (name.equals(METADATA)) {
          if (metadata != null) {
            throw refused(METADATA, "the key twice", "each key once");
          }
          metadata = metadata();
        } else {
          if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
            throw refused("header", "a tensor name with half a surrogate pair", "Unicode text");
          }
          if (tensors.containsKey(name)) {
            throw refused(name, "the key twice", "each key once");
          }
          tensors.put(name, tensor(name));
        }
      }
      if (parser.nextToken() != null) {
        throw refused("header", "more after the JSON object: " + describe(), "only spaces");
      }
      return new Header(
          Collections.unmodifiableSortedMap(tensors),
          Collections.unmodifiableSortedMap(metadata == null ? new TreeMap<>() : metadata));
    }

    private SortedMap<String, String> metadata() throws IOException {
      expect(JsonToken.START_OBJECT, METADATA, "an object of strings");
      SortedMap<String, String> metadata = new TreeMap<>();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        parser.nextToken();
        expect(JsonToken.VALUE_STRING, METADATA + "." + key, "a string");
        if (metadata.put(key, parser.getText()) != null) {
          throw refused(METADATA + "." + key, "the key twice", "each key once");
        }
      }
      return metadata;
    }

    private TensorInfo tensor(String name) throws IOException {
      expect(JsonToken.START_OBJECT, name, "an object with dtype, shape and data_offsets");
      @Nullable DType dtype = null;
      @Nullable List<Long> shape = null;
      @Nullable List<Long> offsets = null;
      Set<String> seen = new HashSet<>();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String field = parser.currentName();
        if (!seen.add(field)) {
          throw refused(name, "the key '" + field + "' twice", "each key once");
        }
        parser.nextToken();
        switch (field) {
          case "dtype" -> dtype = dtype(name);
          case "shape" -> shape = sizes(name, "shape");
          case "data_offsets" -> offsets = sizes(name, "data_offsets");
          default ->
              throw refused(
                  name, "the unknown key '" + field + "'", "dtype, shape and data_offsets");
        }
      }
      if (dtype == null || shape == null || offsets == null) {
        throw refused(name, "only the keys " + seen, "dtype, shape and data_offsets");
      }
      if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
        throw refused(name, "data_offsets " + offsets, "[begin, end] with begin <= end");
      }
      long bytes;
      try {
        bytes = dtype.bytes(TensorInfo.elements(shape));
      } catch (ArithmeticException e) {
        throw refused(
            name,
            "shape " + shape + " of " + dtype.label(),
            "a size in whole bytes that fits 63 bits (" + e.getMessage() + ")");
      }
      TensorInfo info = new TensorInfo(name, dtype, shape, offsets.get(0), offsets.get(1));
      if (info.size() != bytes) {
        throw refused(
            name,
            "a range of " + info.size() + " bytes",
            bytes + " bytes for shape " + shape + " of " + dtype.label());
      }
      return info;
    }

    private DType dtype(String name) throws IOException {
      expect(JsonToken.VALUE_STRING, name, "a dtype as a string");
      String label = parser.getText();
      return DType.ofLabel(label)
          .orElseThrow(
              () -> refused(name, "dtype '" + label + "'", "one of " + List.of(DType.values())));
    }

    private List<Long> sizes(String name, String field) throws IOException {
      expect(JsonToken.START_ARRAY, name, field + " as an array of whole numbers");
      List<Long> sizes = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        expect(JsonToken.VALUE_NUMBER_INT, name, field + " of whole numbers");
        BigInteger value = parser.getBigIntegerValue();
        if (value.signum() < 0 || value.bitLength() > 63) {
          throw refused(name, field + " with " + value, "numbers from 0 to 2^63 - 1");
        }
        sizes.add(value.longValue());
      }
      return sizes;
    }

    private void expect(JsonToken token, String key, String expected) throws IOException {
      if (parser.currentToken() != token) {
        throw refused(key, describe(), expected);
      }
    }

    private String describe() throws IOException {
      @Nullable JsonToken token = parser.currentToken();
      if (token == null) {
        return "nothing";
      }
      if (token == JsonToken.VALUE_STRING) {
        return '"' + parser.getText() + '"';
      }
      return token.isScalarValue() ? parser.getText() : token.toString();
    }

    private SafetensorsException refused(String key, String found, String expected) {
      return new SafetensorsException(file, key, found, expected);
    }
  }
}
