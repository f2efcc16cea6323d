package dev.cambium.engine.text;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;

/**
 * transformers' {@code {% generation %}} block, which marks what an assistant wrote. It leaves the
 * text as it is; which tokens are learnt is found in another way, that works without such marks.
 */
final class GenerationTag implements Tag {
  private static final long serialVersionUID = 1L;

  @Override
  public String getName() {
    return "generation";
  }

  @Override
  public String getEndTagName() {
    return "endgeneration";
  }

  @Override
  public String interpret(TagNode node, JinjavaInterpreter interpreter) {
    StringBuilder out = new StringBuilder();
    for (Node child : node.getChildren()) {
      out.append(child.render(interpreter));
    }
    return out.toString();
  }
}
