package dev.cambium.story;

import dev.cambium.model.Message;
import java.util.List;

/** The form of a conversation in the demo's models, and the chat template that renders it. */
final class ChatForm {

  static final String USER = "<|user|>";
  static final String ASSISTANT = "<|assistant|>";
  static final String SYSTEM = "<|system|>";
  static final String END = "<|end|>";

  /** Jinja; renders what {@link #text} renders, plus the opening of the answer to come. */
  static final String TEMPLATE =
      "{% for message in messages %}"
          + "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
          + "{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

  private ChatForm() {}

  /** A conversation as the pre-training text holds it: plain, without the special tokens. */
  static String text(List<Message> messages) {
    StringBuilder text = new StringBuilder();
    for (Message message : messages) {
      text.append(message.role()).append(": ").append(message.content()).append('\n');
    }
    return text.toString().strip();
  }
}
