package dev.cambium.engine.text;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import dev.cambium.model.ToolCall;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns a byte-level BPE tokenizer (Sennrich et al., 2016; Radford et al., 2019) and writes it as
 * a {@code tokenizer.json} that Hugging Face's library loads.
 *
 * <p>Text is split at digits, each of which stands alone, then into words as GPT-2 does; words are
 * byte strings. The most frequent pair of neighbours becomes a token, again and again; of equally
 * frequent pairs the one with the smaller ids, so that the result depends on how often each word
 * occurred and on nothing else, not even on the order of the texts.
 *
 * <p>Counts are kept up to date and not recounted: a merge touches the words that hold its pair,
 * and a heap with outdated entries, skipped when they come up, gives the next pair. That is
 * near-linear in what changes, and a few megabytes take seconds.
 */
public final class BpeTrainer {

  /** Ends a text and an assistant's turn. */
  public static final String END = "<|im_end|>";

  static final String START = "<|im_start|>";
  static final String PAD = "<|endoftext|>";

  private static final List<String> SPECIAL = List.of(PAD, START, END);

  /** Three special tokens and one for each byte. */
  public static final int SMALLEST = SPECIAL.size() + 256;

  /** Tools go into a system turn of their own; for the rest, ChatML. */
  static final String TEMPLATE =
      "{% if tools %}<|im_start|>system\nTools:\n"
          + "{% for tool in tools %}{{ tool | tojson }}{{ '\n' }}{% endfor %}<|im_end|>\n{% endif %}"
          + "{% for message in messages %}"
          + "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
          + "{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

  private static final Pattern WORD =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  /** Longer words are not language, and would make merges slow. */
  private static final int LONGEST_WORD = 64;

  private static final int RAREST_PAIR = 2;

  private final Map<String, Long> words = new HashMap<>();

  /** Takes a text into account. */
  public BpeTrainer add(String text) {
    int from = 0;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      int next = i + Character.charCount(c);
      if (isNumber(c)) {
        addWords(text.substring(from, i));
        count(text.substring(i, next));
        from = next;
      }
      i = next;
    }
    addWords(text.substring(from));
    return this;
  }

  /** Takes a row into account: its text, or its messages with the words that go around them. */
  public BpeTrainer add(Row row) {
    String text = row.text();
    if (text != null) {
      return add(text);
    }
    for (Message message : row.messages()) {
      add(message.role());
      add("\n");
      add(message.content());
      for (ToolCall call : message.toolCalls()) {
        add(call.name());
        add(call.arguments().text());
      }
    }
    return this;
  }

  private static boolean isNumber(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  private void addWords(String text) {
    Matcher matcher = WORD.matcher(text);
    while (matcher.find()) {
      String word = matcher.group();
      int length = word.codePointCount(0, word.length());
      for (int from = 0; length > 0; length -= LONGEST_WORD) {
        int to = word.offsetByCodePoints(from, Math.min(length, LONGEST_WORD));
        count(word.substring(from, to));
        from = to;
      }
    }
  }

  private void count(String word) {
    words.merge(word, 1L, Long::sum);
  }

  /**
   * Learns, and writes {@code tokenizer.json} and {@code tokenizer_config.json} with a chat
   * template into a directory.
   *
   * @param vocabularySize how many tokens there may be, at least {@link #SMALLEST}
   * @return how many there are: fewer if the texts have too few pairs that occur twice
   */
  public int train(int vocabularySize, Path dir) throws IOException {
    if (vocabularySize < SMALLEST || vocabularySize > 1_000_000) {
      throw new IllegalArgumentException(
          "a vocabulary must have %d to 1000000 tokens, not %d"
              .formatted(SMALLEST, vocabularySize));
    }
    Learning learning = new Learning(words, vocabularySize);
    learning.run();
    Files.createDirectories(dir);
    writeJson(dir.resolve(ModelText.TOKENIZER), description(learning));
    writeJson(dir.resolve(ModelText.TOKENIZER_CONFIG), configuration());
    return learning.vocabulary.size();
  }

  private static void writeJson(Path file, ObjectNode json) throws IOException {
    Files.write(file, ModelText.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
  }

  private static ObjectNode description(Learning learning) {
    ObjectNode json = ModelText.MAPPER.createObjectNode();
    json.put("version", "1.0");
    json.putNull("truncation");
    json.putNull("padding");
    ArrayNode added = json.putArray("added_tokens");
    for (String token : SPECIAL) {
      ObjectNode one = added.addObject();
      one.put("id", SPECIAL.indexOf(token));
      one.put("content", token);
      for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized"}) {
        one.put(flag, false);
      }
      one.put("special", true);
    }
    json.putNull("normalizer");
    ObjectNode split = json.putObject("pre_tokenizer");
    split.put("type", "Sequence");
    ArrayNode steps = split.putArray("pretokenizers");
    steps.addObject().put("type", "Digits").put("individual_digits", true);
    byteLevel(steps.addObject());
    byteLevel(json.putObject("post_processor"));
    byteLevel(json.putObject("decoder"));
    ObjectNode model = json.putObject("model");
    model.put("type", "BPE");
    model.putNull("dropout");
    model.putNull("unk_token");
    model.put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", "");
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", false);
    ObjectNode vocabulary = model.putObject("vocab");
    learning.vocabulary.forEach(vocabulary::put);
    ArrayNode merges = model.putArray("merges");
    learning.merges.forEach(merge -> merges.addArray().add(merge[0]).add(merge[1]));
    return json;
  }

  private static void byteLevel(ObjectNode json) {
    json.put("type", "ByteLevel");
    json.put("add_prefix_space", false);
    json.put("trim_offsets", true);
    json.put("use_regex", true);
  }

  private static ObjectNode configuration() {
    ObjectNode json = ModelText.MAPPER.createObjectNode();
    json.put("tokenizer_class", "PreTrainedTokenizerFast");
    json.put("add_prefix_space", false);
    json.put("clean_up_tokenization_spaces", false);
    json.put("bos_token", START);
    json.put("eos_token", END);
    json.put("pad_token", PAD);
    json.put("unk_token", PAD);
    json.put("chat_template", TEMPLATE);
    return json;
  }

  /** One run of the algorithm. */
  private static final class Learning {
    /** Token to id, in the order of ids. */
    final Map<String, Integer> vocabulary = new LinkedHashMap<>();

    final List<String[]> merges = new ArrayList<>();

    private final int limit;
    private final List<String> tokens = new ArrayList<>();
    private final int[][] words;
    private final long[] counts;
    private final Map<Long, Pair> pairs = new HashMap<>();
    private final PriorityQueue<Candidate> queue = new PriorityQueue<>();

    Learning(Map<String, Long> wordCounts, int limit) {
      this.limit = limit;
      SPECIAL.forEach(this::token);
      String[] alphabet = alphabet();
      int first = tokens.size();
      for (String letter : alphabet) {
        token(letter);
      }
      Map<String, Long> sorted = new TreeMap<>(wordCounts);
      words = new int[sorted.size()][];
      counts = new long[sorted.size()];
      int at = 0;
      for (Map.Entry<String, Long> word : sorted.entrySet()) {
        byte[] bytes = word.getKey().getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < ids.length; i++) {
          ids[i] = first + (bytes[i] & 0xff);
        }
        words[at] = ids;
        counts[at++] = word.getValue();
      }
    }

    private int token(String text) {
      Integer known = vocabulary.putIfAbsent(text, tokens.size());
      if (known != null) {
        return known;
      }
      tokens.add(text);
      return tokens.size() - 1;
    }

    /**
     * A printable character for each byte, as in GPT-2: those of Latin-1 that can be seen stand for
     * themselves, the others for characters from U+0100 on.
     */
    private static String[] alphabet() {
      String[] letters = new String[256];
      int spare = 256;
      for (int b = 0; b < 256; b++) {
        boolean visible = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xff && b != 0xad);
        letters[b] = Character.toString(visible ? b : spare++);
      }
      return letters;
    }

    void run() {
      Set<Long> changed = new HashSet<>();
      for (int w = 0; w < words.length; w++) {
        for (int i = 0; i + 1 < words[w].length; i++) {
          long key = key(words[w][i], words[w][i + 1]);
          pair(key).add(w, counts[w]);
          changed.add(key);
        }
      }
      enqueue(changed);
      int[] seenAt = new int[words.length];
      int round = 0;
      while (tokens.size() < limit && !queue.isEmpty()) {
        Candidate best = queue.poll();
        Pair pair = pairs.get(best.key());
        if (pair == null || pair.count != best.count()) {
          continue;
        }
        int left = (int) (best.key() >>> 32);
        int right = (int) best.key();
        int merged = token(tokens.get(left) + tokens.get(right));
        merges.add(new String[] {tokens.get(left), tokens.get(right)});
        pairs.remove(best.key());
        round++;
        changed.clear();
        for (int i = 0; i < pair.size; i++) {
          int w = pair.where[i];
          if (seenAt[w] != round) {
            seenAt[w] = round;
            merge(w, left, right, merged, changed);
          }
        }
        changed.remove(best.key());
        pairs.remove(best.key());
        enqueue(changed);
      }
    }

    private void merge(int w, int left, int right, int merged, Set<Long> changed) {
      int[] old = words[w];
      int[] now = new int[old.length];
      int length = 0;
      for (int i = 0; i < old.length; i++) {
        if (i + 1 < old.length && old[i] == left && old[i + 1] == right) {
          now[length++] = merged;
          i++;
        } else {
          now[length++] = old[i];
        }
      }
      if (length == old.length) {
        return;
      }
      for (int i = 0; i + 1 < old.length; i++) {
        long key = key(old[i], old[i + 1]);
        Pair pair = pairs.get(key);
        if (pair != null) {
          pair.count -= counts[w];
          changed.add(key);
        }
      }
      now = Arrays.copyOf(now, length);
      words[w] = now;
      for (int i = 0; i + 1 < length; i++) {
        long key = key(now[i], now[i + 1]);
        Pair pair = pair(key);
        if (now[i] == merged || now[i + 1] == merged) {
          pair.add(w, counts[w]);
        } else {
          pair.count += counts[w];
        }
        changed.add(key);
      }
    }

    private Pair pair(long key) {
      return pairs.computeIfAbsent(key, k -> new Pair());
    }

    private void enqueue(Set<Long> keys) {
      for (long key : keys) {
        Pair pair = pairs.get(key);
        if (pair != null && pair.count >= RAREST_PAIR) {
          queue.add(new Candidate(pair.count, key));
        }
      }
    }

    private static long key(int left, int right) {
      return ((long) left << 32) | right;
    }
  }

  /** Two neighbours: how often, and in which words (some perhaps twice, some no longer). */
  private static final class Pair {
    long count;
    int[] where = new int[4];
    int size;

    void add(int word, long times) {
      count += times;
      if (size == 0 || where[size - 1] != word) {
        if (size == where.length) {
          where = Arrays.copyOf(where, 2 * size);
        }
        where[size++] = word;
      }
    }
  }

  private record Candidate(long count, long key) implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      int byCount = Long.compare(other.count, count);
      return byCount != 0 ? byCount : Long.compare(key, other.key);
    }
  }
}
