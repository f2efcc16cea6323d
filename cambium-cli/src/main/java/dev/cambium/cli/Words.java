package dev.cambium.cli;

import dev.cambium.artifact.gguf.Quantization;
import dev.cambium.loop.Target;
import dev.cambium.model.Channel;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Arguments as they are written, with the messages of the language itself. */
final class Words {

  private Words() {}

  private static <T> T read(String text, Function<String, T> reader) {
    try {
      return reader.apply(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(String.valueOf(e.getMessage()));
    }
  }

  /** A tier's label. */
  static final class TierWord implements ITypeConverter<Tier> {
    @Override
    public Tier convert(String text) {
      return read(text, Tier::parse);
    }
  }

  /** The labels of the tiers that can be imported. */
  static final class Tiers implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(Tier.values())
          .filter(tier -> tier != Tier.APPLICATION)
          .map(Tier::label)
          .iterator();
    }
  }

  /** A channel's label. */
  static final class ChannelWord implements ITypeConverter<Channel> {
    @Override
    public Channel convert(String text) {
      return read(text, Channel::parse);
    }
  }

  /** The labels of the channels that versions are released to. */
  static final class Channels implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of(Channel.CANARY.label(), Channel.STABLE.label()).iterator();
    }
  }

  /** {@code LINE@N}. */
  static final class VersionWord implements ITypeConverter<VersionRef> {
    @Override
    public VersionRef convert(String text) {
      return read(text, VersionRef::parse);
    }
  }

  /** {@code LINE}, {@code LINE@N} or {@code LINE@CHANNEL}. */
  static final class TargetWord implements ITypeConverter<Target> {
    @Override
    public Target convert(String text) {
      return read(text, Target::parse);
    }
  }

  static final String HUGGING_FACE = "hf";
  static final String GGUF = "gguf";

  /** A format to write models in. */
  static final class FormatWord implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      if (!List.of(HUGGING_FACE, GGUF).contains(text)) {
        throw new TypeConversionException("no format '" + text + "': hf or gguf");
      }
      return text;
    }
  }

  /** The formats. */
  static final class Formats implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of(HUGGING_FACE, GGUF).iterator();
    }
  }

  static String of(Quantization quantization) {
    return quantization.name().toLowerCase(Locale.ROOT);
  }

  /** How gguf stores matrices. */
  static final class QuantizationWord implements ITypeConverter<Quantization> {
    @Override
    public Quantization convert(String text) {
      return Arrays.stream(Quantization.values())
          .filter(q -> of(q).equals(text.toLowerCase(Locale.ROOT)))
          .findFirst()
          .orElseThrow(
              () -> new TypeConversionException("no quantization '" + text + "': f16 or q8_0"));
    }
  }

  /** All of these. */
  static final class Quantizations implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(Quantization.values()).map(Words::of).iterator();
    }
  }
}
