"""Compiles printed loops for this machine, once for each text: the machine code is kept in a folder."""

import ctypes
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from llvmlite import binding

SPEED = 2
HASH_CHARACTERS = 32
DIGEST_BYTES = hashlib.sha256().digest_size
Run = Callable[[int, int, int], None]
"""The function `run` of a printed text: how many groups, the address of the bounds, that of the arrays' addresses."""


class Compiled:
    """A compiled text; it stays loaded as long as this lives. Calls let other threads run."""

    def __init__(self, text: str, folder: Path) -> None:
        kept = _Kept(folder / f"{_identity(text)}.o")
        module = binding.parse_assembly(text)
        machine = _machine()
        if not kept.code:
            _optimise(module, machine)
        self._engine = binding.create_mcjit_compiler(module, machine)
        self._engine.set_object_cache(kept.keep, lambda _: kept.code)
        self._engine.finalize_object()
        address = self._engine.get_function_address("run")
        signature = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
        self.run: Run = signature(address)


class _Kept:
    """The machine code of a text, in a file that begins with its sha256; None where that is not whole."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.code = _whole(file.read_bytes()) if file.exists() else None

    def keep(self, _: binding.ModuleRef, code: bytes) -> None:
        """Write the code that was made."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        # Another process may make the same file: each writes its own, and what is renamed last stays.
        with NamedTemporaryFile(dir=self._file.parent, suffix=".part", delete=False) as beside:
            beside.write(hashlib.sha256(code).digest() + code)
        Path(beside.name).replace(self._file)


def _whole(written: bytes) -> bytes | None:
    # A machine that loses power may leave a file cut short, or of zeros, under its name.
    digest, code = written[:DIGEST_BYTES], written[DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None


@cache
def _native() -> binding.Target:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple()


def _machine() -> binding.TargetMachine:
    """A target machine of its own for each engine, which ends it with itself."""
    features = binding.get_host_cpu_features().flatten()
    return _native().create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=SPEED, jit=True)


def _identity(text: str) -> str:
    """A name for the machine code: of this text, on a processor such as this, by this compiler."""
    about = (_native().triple, binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())
    told = "\n".join([*about, str(binding.llvm_version_info), str(SPEED), text])
    return hashlib.sha256(told.encode()).hexdigest()[:HASH_CHARACTERS]


def _optimise(module: binding.ModuleRef, machine: binding.TargetMachine) -> None:
    module.verify()
    options = binding.create_pipeline_tuning_options(speed_level=SPEED)
    builder = binding.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
