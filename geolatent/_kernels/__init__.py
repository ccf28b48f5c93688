"""The only importer of the compiled core: decides when a kernel stands in for its torch formula."""

import os

import torch
from torch import Tensor
from torch.autograd import forward_ad

try:
    from geolatent import _core
except ImportError:  # installed without a compiler: every formula runs as torch
    _core = None  # type: ignore[assignment]

__all__ = ["core", "isa", "isa_levels", "launch", "usable", "use_isa"]

core = _core


def usable(*tensors: Tensor) -> bool:
    """Whether a kernel may take these tensors in place of the torch formula.

    True for untransformed float32 and float64 tensors on the CPU. Under a functorch transform (grad, jvp, vmap,
    jacrev, jacfwd, hessian), forward-mode differentiation or torch.compile the formula is the answer. This is the one
    place that reads torch internals.
    """
    if core is None or torch.compiler.is_compiling():
        return False
    if torch._C._functorch.peek_interpreter_stack() is not None or forward_ad._current_level >= 0:
        return False
    return all(
        tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64) and type(tensor) in _PLAIN
        for tensor in tensors
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
        raise ValueError(f"GEOLATENT_ISA must name an instruction set of this machine; got {name!r}: use one of {available}")


if os.environ.get("GEOLATENT_ISA"):
    use_isa(os.environ["GEOLATENT_ISA"])
