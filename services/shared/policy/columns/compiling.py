"""Compiles printed loops with numba, once for each text: the machine code is kept in a folder for the next process."""

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

HASH_CHARACTERS = 32


def compiled(signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compiles a printed function for arrays of these types, or takes it from the folder; it lets other threads run."""
    decorated: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(
        signature, cache=True, nogil=True, error_model="numpy", boundscheck=False
    )
    return decorated


def loaded(source: str, folder: Path) -> ModuleType:
    """The printed module, compiled; `folder` holds it and its machine code."""
    name = f"doudi_columns_{hashlib.sha256(source.encode()).hexdigest()[:HASH_CHARACTERS]}"
    file = folder / f"{name}.py"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Another process may write the same file: each writes its own, and the last to be renamed stays.
        beside = file.with_suffix(f".{id(source)}.part")
        beside.write_text(source, encoding="utf-8")
        beside.replace(file)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    # What was compiled looks for its own module under its name.
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Each is one or two instructions, told to LLVM as such: numba's own would be a branch and half a page.


@intrinsic
def pick(typing_context, condition, then, otherwise):  # type: ignore[no-untyped-def]
    """`then` where the condition holds; both were computed."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.select(*arguments)

    return types.int64(types.boolean, types.int64, types.int64), generate


@intrinsic
def least(typing_context, left, right):  # type: ignore[no-untyped-def]
    """The lesser of two whole numbers."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.select(builder.icmp_signed("<", *arguments), *arguments)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def greatest(typing_context, left, right):  # type: ignore[no-untyped-def]
    """The greater of two whole numbers."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.select(builder.icmp_signed(">", *arguments), *arguments)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def floor_div(typing_context, amount, divisor):  # type: ignore[no-untyped-def]
    """A quotient rounded down, also below nought; the divisor is at least 1."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        quotient = builder.sdiv(*arguments)
        remainder = builder.sub(arguments[0], builder.mul(quotient, arguments[1]))
        is_below = builder.icmp_signed("<", remainder, ir.Constant(remainder.type, 0))
        return builder.sub(quotient, builder.zext(is_below, quotient.type))

    return types.int64(types.int64, types.int64), generate
