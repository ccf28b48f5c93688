"""The only importer of the compiled core: decides when a kernel stands in for its torch formula."""

import os

import torch
from torch import Tensor
from torch.autograd import forward_ad

try:
    from geolatent import _core
except ImportError:  # installed without a compiler: every formula runs as torch
    _core = None  # type: ignore[assignment]

__all__ = [
    "core",
    "differentiated",
    "forward_levels",
    "isa",
    "isa_levels",
    "launch",
    "transformed",
    "usable",
    "use_isa",
]

core = _core


def transformed(*tensors: Tensor) -> bool:
    """Whether a functorch transform, forward-mode differentiation or torch.compile looks at these tensors.

    Then the torch formula is the answer: an operator of our own would give jvp and jacfwd a silent zero. This is the
    one place that reads torch internals.
    """
    return (
        torch.compiler.is_compiling()
        or torch._C._functorch.peek_interpreter_stack() is not None
        or forward_ad._current_level >= 0
        or any(type(tensor) not in _PLAIN for tensor in tensors)
    )


def differentiated(*tensors: Tensor) -> bool:
    """Whether derivatives with respect to these tensors are recorded, or a transform looks at them."""
    return transformed(*tensors) or (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors))


def forward_levels() -> int:
    """How many forward-mode transforms of functorch are active, one inside the other."""
    stack = torch._C._functorch.get_interpreter_stack() or []
    return sum(level.key() == torch._C._functorch.TransformType.Jvp for level in stack)


def usable(*tensors: Tensor) -> bool:
    """Whether a kernel may take these tensors: untransformed, on the CPU, float32 or float64, and a core to run it."""
    return (
        core is not None
        and not transformed(*tensors)
        and all(x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64) for x in tensors)
    )


_PLAIN = (Tensor, torch.nn.Parameter)


def launch(name: str, dtype: torch.dtype, *arguments: int) -> None:
    """Call the kernel ``name`` for ``dtype`` on addresses and sizes, with torch's thread count."""
    suffix = {torch.float32: "f32", torch.float64: "f64"}[dtype]
    getattr(core, f"{name}_{suffix}")(*arguments, torch.get_num_threads())


def isa_levels() -> list[str]:
    """Instruction sets that this machine runs, plainest first; empty without the compiled core."""
    return core.isa_levels() if core is not None else []


def isa() -> str:
    """Instruction set in use; ``"torch"`` without the compiled core."""
    return core.isa() if core is not None else "torch"


def use_isa(name: str) -> None:
    """Run the kernels of one instruction set from now on (the environment variable GEOLATENT_ISA does it at import)."""
    if core is None or not core.use_isa(name):
        available = ", ".join(isa_levels()) or "none: the core was not compiled"
        raise ValueError(
            f"GEOLATENT_ISA must name an instruction set of this machine; got {name!r}: use one of {available}"
        )


if os.environ.get("GEOLATENT_ISA"):
    use_isa(os.environ["GEOLATENT_ISA"])
