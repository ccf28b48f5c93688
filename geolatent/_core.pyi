"""Compiled kernels of geolatent: addresses are `Tensor.data_ptr()`, `threads` the OpenMP thread count."""

def isa() -> str: ...
def isa_levels() -> list[str]: ...
def use_isa(name: str) -> bool: ...
def eigvals_f32(a: int, out: int, failed: int, count: int, d: int, threads: int) -> None: ...
def eigvals_f64(a: int, out: int, failed: int, count: int, d: int, threads: int) -> None: ...
def eigh_f32(a: int, values: int, vectors: int, failed: int, count: int, d: int, threads: int) -> None: ...
def eigh_f64(a: int, values: int, vectors: int, failed: int, count: int, d: int, threads: int) -> None: ...
def svdvals_f32(a: int, out: int, failed: int, count: int, n: int, m: int, threads: int) -> None: ...
def svdvals_f64(a: int, out: int, failed: int, count: int, n: int, m: int, threads: int) -> None: ...
def pairwise_svdvals_f32(
    left: int,
    right: int,
    out: int,
    rows: int,
    columns: int,
    n: int,
    inner: int,
    m: int,
    of: int,
    above_diagonal: bool,
    threads: int,
) -> None: ...
def pairwise_svdvals_f64(
    left: int,
    right: int,
    out: int,
    rows: int,
    columns: int,
    n: int,
    inner: int,
    m: int,
    of: int,
    above_diagonal: bool,
    threads: int,
) -> None: ...
def mlp_jacobian_f32(
    layers: int, out: int, decoder_layers: int, encoder_layers: int, branches: int, count: int, threads: int
) -> None: ...
def mlp_jacobian_f64(
    layers: int, out: int, decoder_layers: int, encoder_layers: int, branches: int, count: int, threads: int
) -> None: ...
def diagonal_pairs_f32(
    loc: int, scale: int, other_loc: int, other_scale: int, out: int, count: int, n: int, squared: bool, threads: int
) -> None: ...
def diagonal_pairs_f64(
    loc: int, scale: int, other_loc: int, other_scale: int, out: int, count: int, n: int, squared: bool, threads: int
) -> None: ...
def diagonal_table_f32(
    loc: int,
    scale: int,
    other_loc: int,
    other_scale: int,
    out: int,
    rows: int,
    columns: int,
    n: int,
    threads: int,
) -> None: ...
def diagonal_table_f64(
    loc: int,
    scale: int,
    other_loc: int,
    other_scale: int,
    out: int,
    rows: int,
    columns: int,
    n: int,
    threads: int,
) -> None: ...
def fisher_rao_f64(
    loc: int,
    covariance: int,
    other_loc: int,
    other_covariance: int,
    lower: int,
    upper: int,
    squared_dist: int,
    residual: int,
    iterations: int,
    velocity_loc: int,
    velocity_covariance: int,
    count: int,
    n: int,
    threads: int,
) -> None: ...
