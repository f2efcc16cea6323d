package dev.cambium.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.model.Application;
import dev.cambium.model.Message;
import dev.cambium.model.VerbatimJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What an application puts around a conversation: its instruction, its examples as earlier turns,
 * its prompt around the user's last turn, and its tools. The same at evaluation and at serving.
 *
 * @param application none leaves conversations as they are
 */
public record Framing(Optional<Application> application) {

  /** Leaves conversations as they are. */
  public static final Framing NONE = new Framing(Optional.empty());

  /** The conversation that the model sees. */
  public List<Message> messages(List<Message> conversation) {
    if (application.isEmpty()) {
      return conversation;
    }
    Application frame = application.get();
    List<Message> messages = new ArrayList<>(conversation);
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).role().equals("user")) {
        messages.set(i, Message.user(frame.userTurn(messages.get(i).content())));
        break;
      }
    }
    String system = frame.system();
    if (system != null) {
      // One system turn: many templates refuse a second.
      boolean has = !messages.isEmpty() && messages.get(0).role().equals("system");
      String all = has ? system + "\n\n" + messages.remove(0).content() : system;
      messages.add(0, Message.system(all));
    }
    int first = !messages.isEmpty() && messages.get(0).role().equals("system") ? 1 : 0;
    List<Message> shown = new ArrayList<>();
    for (Application.Example example : frame.examples()) {
      shown.add(Message.user(frame.userTurn(example.input())));
      shown.add(Message.assistant(example.answer()));
    }
    messages.addAll(first, shown);
    return messages;
  }

  /** Descriptions of the tools. */
  public List<JsonNode> tools() {
    return application.map(a -> VerbatimJson.trees(a.tools())).orElse(List.of());
  }

  /** The longest answer: what is asked for, or less if the application allows less. */
  public int maxNewTokens(int asked) {
    return application.map(a -> Math.min(asked, a.maxNewTokens())).orElse(asked);
  }
}
