package dev.cambium.engine.training;

import dev.cambium.model.Distillation;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Divergences of a student's distribution Q from a teacher's P, given as logarithms. */
final class Divergence {

  private Divergence() {}

  /**
   * Line by line, in nats (Agarwal et al., 2024, equation 2 for the third).
   *
   * @param teacher log P: lines × outcomes, without history
   * @param student log Q, likewise; gradients flow through it
   * @return one number a line
   */
  static Tensor of(Distillation how, Tensor teacher, Tensor student) {
    return switch (how.divergence()) {
      case FORWARD_KL -> kl(teacher, student);
      case REVERSE_KL -> kl(student, teacher);
      case JSD -> {
        double beta = how.mixture();
        Tensor mixture =
            torch.logaddexp(
                teacher.add(new Scalar(Math.log(beta))),
                student.add(new Scalar(Math.log(1 - beta))));
        yield kl(teacher, mixture)
            .mul(new Scalar(beta))
            .add(kl(student, mixture), new Scalar(1 - beta));
      }
    };
  }

  /** KL(P ‖ Q), line by line. */
  private static Tensor kl(Tensor p, Tensor q) {
    return p.exp().mul(p.sub(q)).sum(1);
  }
}
