"""Presets of a study with some fields replaced, and the checks that their configurations share."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from geolatent import datasets

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C", bound="DataclassInstance")


def chosen_preset(presets: Mapping[str, C], preset: str, dataset: str | None, changes: dict[str, Any]) -> C:
    """The preset with some fields replaced, the data set among them if one is named.

    Raises:
        ValueError: if the preset is unknown, or a value out of range.
        TypeError: if a change names no field.
    """
    if preset not in presets:
        raise ValueError(f"preset must be one of {', '.join(presets)}; got {preset!r}: choose one of these")
    configuration = presets[preset]
    names = [field.name for field in fields(configuration)]
    unknown = [name for name in changes if name not in names]
    if unknown:
        raise TypeError(f"changes must name fields of Configuration; got {', '.join(unknown)}: use {', '.join(names)}")
    return replace(configuration, **changes, **({} if dataset is None else {"dataset": dataset}))


def jsonable(configuration: "DataclassInstance") -> dict[str, Any]:
    """The fields of a configuration, as JSON holds them."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(configuration)))
    return values


def require_dataset(dataset: str) -> None:
    """Raise ValueError unless the data set is known."""
    if dataset not in datasets.names():
        listed = ", ".join(datasets.names())
        raise ValueError(f"dataset must be one of {listed}; got {dataset!r}: choose one of these")


def require_at_least(configuration: "DataclassInstance", least: dict[str, int]) -> None:
    """Raise ValueError unless each field named holds at least the number given."""
    for name, smallest in least.items():
        value = getattr(configuration, name)
        if value < smallest:
            raise ValueError(f"{name} must be at least {smallest}; got {value}: raise it")


def require_images(configuration: "DataclassInstance", *names: str) -> None:
    """Raise ValueError unless each field named holds a number of images, at least ten, or None for all."""
    for name in names:
        count = getattr(configuration, name)
        if count is not None and count < 10:
            raise ValueError(f"{name} must be at least 10, or None for all; got {count}: raise it")
