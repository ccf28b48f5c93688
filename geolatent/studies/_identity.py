"""What a computation was asked for, as a file name and as a seed."""

import hashlib
import json
from typing import Any

import torch


def content_digest(content: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of ``content``: the name under which its results are kept."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def generator_for(*parts: str | int) -> torch.Generator:
    """A generator of its own for every purpose, seeded by the names and numbers that identify it."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
