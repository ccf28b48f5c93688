"""Memory budgets: "2GiB" to bytes, and bytes to the items that one tile may hold."""

import re

DEFAULT_BUDGET = "1GiB"

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def budget_in_bytes(max_memory: int | str) -> int:
    """Bytes of a budget given as a number of bytes or as text such as ``"2GiB"`` or ``"500MB"``."""
    text = str(max_memory).strip()
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?B?)", text.upper())
    if type(max_memory) not in (int, str) or match is None or match.group(2) not in _UNITS:
        raise ValueError(f"max_memory must be a number of bytes or text such as '2GiB' or '500MB'; got {max_memory!r}")
    size = int(float(match.group(1)) * _UNITS[match.group(2)])
    if size < 1:
        raise ValueError(f"max_memory must be positive; got {max_memory!r}: pass for example '1GiB'")
    return size


def items_per_tile(max_memory: int | str, bytes_per_item: int, largest: int, item: str = "sample") -> int:
    """Items that one tile holds under the budget, at most ``largest``; ``item`` is what the message calls one.

    Raises:
        ValueError: if the budget does not hold one item; the message says how much it needs.
    """
    items = budget_in_bytes(max_memory) // bytes_per_item
    if items < 1:
        raise ValueError(f"max_memory must hold one {item}, about {bytes_per_item} bytes; got {max_memory!r}: raise it")
    return min(items, largest)
