"""Compiles printed loops for this machine, once for each text: the machine code is kept in a folder."""

import ctypes
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from llvmlite import binding

SPEED = 2
HASH_CHARACTERS = 32
Run = Callable[[int, int, int], None]
"""The function `run` of a printed text: how many groups, the address of the bounds, that of the arrays' addresses."""


class Compiled:
    """A compiled text; it stays loaded as long as this lives. Calls let other threads run."""

    def __init__(self, text: str, folder: Path) -> None:
        self._engine = _engine()
        self._engine.add_object_file(binding.object_file.ObjectFileRef.from_data(_machine_code(text, folder)))
        self._engine.finalize_object()
        address = self._engine.get_function_address("run")
        signature = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
        self.run: Run = signature(address)


@cache
def _target() -> binding.TargetMachine:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    features = binding.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=SPEED, jit=True)


def _engine() -> binding.ExecutionEngine:
    return binding.create_mcjit_compiler(binding.parse_assembly(""), _target())


def _machine_code(text: str, folder: Path) -> bytes:
    """The object file of a text, from the folder or made now."""
    file = folder / f"{_identity(text)}.o"
    if file.exists():
        return file.read_bytes()
    code = _compiled(text)
    folder.mkdir(parents=True, exist_ok=True)
    # Another process may make the same file: each writes its own, and what is renamed last stays.
    beside = file.with_suffix(f".{id(code)}.part")
    beside.write_bytes(code)
    beside.replace(file)
    return code


def _identity(text: str) -> str:
    """A name for the machine code: of this text, on a processor such as this, by this compiler."""
    target = _target()
    about = (target.triple, binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())
    told = "\n".join([*about, str(binding.llvm_version_info), str(SPEED), text])
    return hashlib.sha256(told.encode()).hexdigest()[:HASH_CHARACTERS]


def _compiled(text: str) -> bytes:
    module = binding.parse_assembly(text)
    module.verify()
    options = binding.create_pipeline_tuning_options(speed_level=SPEED)
    builder = binding.create_pass_builder(_target(), options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = _target().emit_object(module)
    return code
