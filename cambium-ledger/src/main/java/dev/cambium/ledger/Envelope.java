package dev.cambium.ledger;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.cambium.model.Json;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * A signed message of some type: a DSSE envelope (Dead Simple Signing Envelope, version 1). What is
 * signed is {@link #preAuthenticationEncoding}, never the JSON around it.
 *
 * @param payloadType says what the payload is
 * @param payload base 64
 * @param signatures at least one
 */
public record Envelope(
    @JsonProperty("payloadType") String payloadType,
    @JsonProperty("payload") String payload,
    @JsonProperty("signatures") List<Signature> signatures) {

  /**
   * A signature.
   *
   * @param keyid the written form of the C2SP verifier key; a hint, as the format has it
   * @param sig base 64
   */
  public record Signature(@JsonProperty("keyid") String keyid, @JsonProperty("sig") String sig) {}

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Envelope {
    if (payloadType == null || payload == null || signatures == null || signatures.isEmpty()) {
      throw new IllegalArgumentException(
          "an envelope has a payloadType, a payload and at least one signature");
    }
    signatures = List.copyOf(signatures);
  }

  static Envelope sign(String payloadType, byte[] payload, SigningKey key) {
    byte[] signature = key.sign(preAuthenticationEncoding(payloadType, payload));
    return new Envelope(
        payloadType,
        encode(payload),
        List.of(new Signature(key.verifier().toString(), encode(signature))));
  }

  /** The payload, whether or not anybody vouches for it. */
  byte[] unverified() {
    return decode("payload", payload);
  }

  /**
   * The payload, vouched for by a key.
   *
   * @param keys of the log; which of them signed does not matter
   * @throws IllegalArgumentException if none of them signed it, or anything is malformed
   */
  public byte[] open(KeyHistory keys) {
    byte[] bytes = unverified();
    byte[] message = preAuthenticationEncoding(payloadType, bytes);
    for (Signature signature : signatures) {
      for (VerifierKey key : keys.all()) {
        if (signature.keyid().equals(key.toString())
            && key.verifies(message, decode("signature", signature.sig()))) {
          return bytes;
        }
      }
    }
    throw new IllegalArgumentException(
        "no valid signature by " + keys.current().name() + " on this envelope");
  }

  /** What is signed: the type and the payload, each with its length before it. */
  static byte[] preAuthenticationEncoding(String payloadType, byte[] payload) {
    byte[] type = payloadType.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream encoding = new ByteArrayOutputStream();
    encoding.writeBytes(("DSSEv1 " + type.length + " ").getBytes(StandardCharsets.US_ASCII));
    encoding.writeBytes(type);
    encoding.writeBytes((" " + payload.length + " ").getBytes(StandardCharsets.US_ASCII));
    encoding.writeBytes(payload);
    return encoding.toByteArray();
  }

  /** The written form: JSON. */
  public byte[] bytes() {
    return Json.canonical(this);
  }

  /**
   * Reads the written form.
   *
   * @throws IllegalArgumentException if it is malformed
   */
  public static Envelope parse(byte[] json) {
    Envelope envelope = Json.read(json, Envelope.class);
    if (!Arrays.equals(envelope.bytes(), json)) {
      throw new IllegalArgumentException("an envelope that is not in Cambium's written form");
    }
    return envelope;
  }

  private static String encode(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  private static byte[] decode(String what, String text) {
    try {
      byte[] bytes = Base64.getDecoder().decode(text);
      if (encode(bytes).equals(text)) {
        return bytes;
      }
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("the " + what + " of an envelope is not base 64", e);
    }
    throw new IllegalArgumentException("the " + what + " of an envelope is not base 64");
  }
}
