package dev.cambium.model;

import com.fasterxml.jackson.core.Base64Variants;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.util.TokenBuffer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.erdtman.jcs.NumberToJSON;

/**
 * Writes values in the one form of RFC 8785, straight from their tokens: members sorted by the
 * UTF-16 units of their names, numbers as ECMAScript writes them, strings with the shortest
 * escapes. Logs are written and checked at the speed of this.
 */
final class CanonicalWriter {

  /** Whole numbers up to here are themselves as a double, which is all that RFC 8785 knows. */
  private static final long EXACT = 1L << 53;

  private static final char[] HEX = "0123456789abcdef".toCharArray();

  private final StringBuilder text = new StringBuilder(512);

  private CanonicalWriter() {}

  static byte[] write(ObjectMapper mapper, Object value) throws IOException {
    CanonicalWriter writer = new CanonicalWriter();
    try (TokenBuffer tokens = new TokenBuffer(mapper, false)) {
      mapper.writeValue(tokens, value);
      try (JsonParser parser = tokens.asParser()) {
        writer.value(parser, parser.nextToken());
      }
    }
    return writer.text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private void value(JsonParser parser, JsonToken token) throws IOException {
    switch (token) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> array(parser);
      case VALUE_STRING -> string(parser.getText());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number(parser);
      case VALUE_TRUE -> text.append("true");
      case VALUE_FALSE -> text.append("false");
      case VALUE_NULL -> text.append("null");
      case VALUE_EMBEDDED_OBJECT -> embedded(parser.getEmbeddedObject());
      default -> throw new IOException("no value: " + token);
    }
  }

  /** A member whose name and value stand between two places of the text. */
  private record Member(String name, int from, int to) {}

  private void object(JsonParser parser) throws IOException {
    text.append('{');
    int begin = text.length();
    List<Member> members = new ArrayList<>();
    boolean sorted = true;
    String last = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      int from = text.length();
      string(name);
      text.append(':');
      value(parser, parser.nextToken());
      text.append(',');
      members.add(new Member(name, from, text.length()));
      sorted &= last == null || last.compareTo(name) < 0;
      last = name;
    }
    if (!sorted) {
      members.sort(Comparator.comparing(Member::name));
      StringBuilder inOrder = new StringBuilder(text.length() - begin);
      for (Member member : members) {
        inOrder.append(text, member.from(), member.to());
      }
      text.setLength(begin);
      text.append(inOrder);
    }
    end(members.isEmpty(), '}');
  }

  private void array(JsonParser parser) throws IOException {
    text.append('[');
    boolean empty = true;
    for (JsonToken token = parser.nextToken();
        token != JsonToken.END_ARRAY;
        token = parser.nextToken()) {
      value(parser, token);
      text.append(',');
      empty = false;
    }
    end(empty, ']');
  }

  /** Puts a bracket in the place of the last comma. */
  private void end(boolean empty, char bracket) {
    if (!empty) {
      text.setLength(text.length() - 1);
    }
    text.append(bracket);
  }

  private void number(JsonParser parser) throws IOException {
    switch (parser.getNumberType()) {
      case INT, LONG -> {
        long value = parser.getLongValue();
        if (value > -EXACT && value < EXACT) {
          text.append(value);
        } else {
          text.append(NumberToJSON.serializeNumber((double) value));
        }
      }
      // A float's digits are those that it is written with, not those of the double next to it.
      case FLOAT -> decimal(Double.parseDouble(Float.toString(parser.getFloatValue())));
      default -> decimal(parser.getDoubleValue());
    }
  }

  private void decimal(double value) throws IOException {
    if (Double.isFinite(value)) {
      text.append(NumberToJSON.serializeNumber(value));
    } else {
      string(Double.toString(value));
    }
  }

  private void embedded(Object value) throws IOException {
    if (value == null) {
      text.append("null");
    } else if (value instanceof byte[] bytes) {
      string(Base64Variants.getDefaultVariant().encode(bytes));
    } else {
      throw new IOException("no JSON form: " + value.getClass().getName());
    }
  }

  private void string(String value) {
    text.append('"');
    int plain = 0;
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c >= ' ' && c != '"' && c != '\\') {
        continue;
      }
      text.append(value, plain, i);
      plain = i + 1;
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\b' -> text.append("\\b");
        case '\f' -> text.append("\\f");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> text.append("\\u00").append(HEX[c >> 4]).append(HEX[c & 15]);
      }
    }
    text.append(value, plain, value.length()).append('"');
  }
}
