package dev.cambium.engine.backend;

import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * An operator of the tensor library that its Java binding has no method for, called by name through
 * the library's dispatcher.
 */
public final class NativeOperator {

  private static final class Lists {
    /** Makes what the binding has no constructor for. */
    static final CompilationUnit UNIT =
        kept(
            torch.compile(
                """
                def one(tensor: Tensor) -> List[Tensor]:
                  return [tensor]

                def tensors() -> List[Tensor]:
                  none: List[Tensor] = []
                  return none

                def numbers() -> List[Optional[number]]:
                  none: List[Optional[number]] = []
                  return none
                """));

    private static CompilationUnit kept(CompilationUnit unit) {
      unit.retainReference();
      return unit;
    }

    static IValue made(String function, IValue... arguments) {
      return UNIT.find_function(new QualifiedName(function)).apply(new IValueVector(arguments));
    }
  }

  private final OperatorHandle handle;

  /**
   * Finds an operator.
   *
   * @param name with its namespace, such as {@code aten::_fused_adamw_}
   * @throws RuntimeException if the library has none of that name
   */
  public NativeOperator(String name) {
    Backend.instance();
    OperatorHandle found = Dispatcher.singleton().findSchemaOrThrow(name, "");
    found.retainReference();
    this.handle = found;
  }

  /** Calls it with all of its schema's arguments, in order; for what it does to them. */
  public void run(IValue... arguments) {
    handle.callBoxed(new IValueVector(arguments));
  }

  /** Calls it with all of its schema's arguments, in order; the result is the caller's scope's. */
  public Tensor tensor(IValue... arguments) {
    IValueVector stack = new IValueVector(arguments);
    handle.callBoxed(stack);
    // A handle of its own, since the stack's goes with the stack.
    return new Tensor(stack.get(0).toTensor());
  }

  /** A list of one tensor. */
  public static IValue list(Tensor tensor) {
    return Lists.made("one", new IValue(tensor));
  }

  /** A list of no tensors. */
  public static IValue noTensors() {
    return Lists.made("tensors");
  }

  /** A list of no numbers. */
  public static IValue noNumbers() {
    return Lists.made("numbers");
  }
}
