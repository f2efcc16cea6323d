import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The amounts and currencies that a text names: what an extraction should find, by rules that leave
 * out what they are not sure of.
 */
final class Money {

  static final String SCHEMA =
      """
      {
        "type": "object",
        "required": ["amounts", "currencies"],
        "additionalProperties": false,
        "properties": {
          "amounts": { "type": "array", "items": { "type": "number" } },
          "currencies": { "type": "array", "items": { "type": "string", "pattern": "^[A-Z]{3}$" } }
        }
      }
      """;

  private static final ObjectMapper JSON = JsonMapper.builder().build();

  /** How currencies are written, the longer spellings before those that they contain. */
  private static final Map<String, String> CURRENCIES = new LinkedHashMap<>();

  static {
    CURRENCIES.put("CAD", "canadian dollars?|cad");
    CURRENCIES.put("AUD", "australian dollars?|aud");
    CURRENCIES.put("USD", "us dollars?|american dollars?|dollars?|usd|\\$");
    CURRENCIES.put("GBP", "british pounds?|pounds?|gbp|£");
    CURRENCIES.put("EUR", "euros?|eur|€");
    CURRENCIES.put("JPY", "japanese yen|yen|jpy");
    CURRENCIES.put("MXN", "mexican pesos?|pesos?|mxn");
    CURRENCIES.put("RUB", "russian ro?ubles?|ro?ubles?|rub");
    CURRENCIES.put("INR", "indian rupees?|rupees?|inr");
    CURRENCIES.put("CNY", "chinese yuan|yuan|cny");
    CURRENCIES.put("CHF", "swiss francs?|francs?|chf");
  }

  private static final String NAMES =
      CURRENCIES.entrySet().stream()
          .map(e -> "(?<" + e.getKey() + ">" + e.getValue() + ")")
          .collect(Collectors.joining("|"));

  private static final String ANY = String.join("|", CURRENCIES.values());
  private static final String NUMBER = "(?<![\\w.,])\\d+(?:,\\d{3})*(?:\\.\\d+)?";

  private static final Pattern CURRENCY =
      Pattern.compile("(?<![a-z])(?:" + NAMES + ")(?![a-z])", Pattern.CASE_INSENSITIVE);

  private static final Pattern AMOUNT =
      Pattern.compile(
          "[$£€] ?(?<behind>\\d+(?:,\\d{3})*(?:\\.\\d+)?)(?!\\w)"
              + "|(?<before>"
              + NUMBER
              + ") ?(?:[$£€]|(?:"
              + ANY
              + ")(?!\\w))",
          Pattern.CASE_INSENSITIVE);

  /** Numbers in words, pounds that are a weight, currencies that are not in the list. */
  private static final Pattern UNSURE =
      Pattern.compile(
          "\\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\\w+teen|twenty|"
              + "thirty|fou?rty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|million|grand|couple|few|half|ounces?|kilos?|grams?|weigh\\w*|pounds?"
              + " of|ils|shekels?|kron\\w+|won|lira|sek|nok|hkd|krw|crypto\\w*|bitcoins?)\\b",
          Pattern.CASE_INSENSITIVE);

  private Money() {}

  /**
   * What a text names, in the order in which it does: {@code
   * {"amounts":[20],"currencies":["USD"]}}. Nothing if it names no currency, or numbers that might
   * or might not be amounts.
   */
  static Optional<String> in(String text) {
    String plain = text.toLowerCase(Locale.ROOT);
    if (UNSURE.matcher(plain).find()) {
      return Optional.empty();
    }
    Set<String> currencies = new LinkedHashSet<>();
    for (Matcher named = CURRENCY.matcher(plain); named.find(); ) {
      for (String code : CURRENCIES.keySet()) {
        if (named.group(code) != null) {
          currencies.add(code);
        }
      }
    }
    if (currencies.isEmpty()) {
      return Optional.empty();
    }
    ObjectNode found = JSON.createObjectNode();
    ArrayNode amounts = found.putArray("amounts");
    for (Matcher amount = AMOUNT.matcher(plain); amount.find(); ) {
      String number = amount.group("behind");
      amounts.add(
          new BigDecimal((number != null ? number : amount.group("before")).replace(",", "")));
    }
    if (AMOUNT.matcher(plain).replaceAll(" ").matches(".*\\d.*")) {
      return Optional.empty(); // another number, which might be an amount, too
    }
    ArrayNode codes = found.putArray("currencies");
    currencies.forEach(codes::add);
    return Optional.of(found.toString());
  }
}
