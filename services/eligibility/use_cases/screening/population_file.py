"""Opens a population's Parquet file, and refuses one that cannot be what it says before anything is computed."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from services.eligibility.use_cases.screening.refusal import ScreeningRefused

MAGIC, ENCRYPTED = b"PAR1", b"PARE"
FOOTER_END = 8
"""The footer's length in four bytes, and the magic."""
LEAST_BYTES = len(MAGIC) + FOOTER_END
MAX_FOOTER_BYTES = 256 * 2**20
MAX_COLUMNS = 10_000
MAX_ROW_GROUP_BYTES = 4 * 2**30
"""Of one column of one row group, uncompressed."""
MAX_VALUES_A_ROW = 10_000
"""Of one column, on average over a row group: more members and supporters than any household may have."""
READ_BUFFER_BYTES = 2**20

UNREADABLE = (pa.ArrowException, OSError, ValueError, UnicodeDecodeError, MemoryError)
"""What a library that is given something torn may raise."""


@dataclass(frozen=True)
class Leaf:
    """A column without parts: its name from the table on, as members.relation, and its path in the file."""

    name: str
    path: str
    is_code: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells cheaply whether a file was changed: its size and footer, and on one machine its time and inode."""

    bytes: int
    footer_sha256: str
    lies: tuple[int, int] | None
    """When it was written, in nanoseconds, and its inode; None where another machine may see others."""

    @property
    def on_any_machine(self) -> "Identity":
        """The part that is the same wherever the file is seen from."""
        return replace(self, lies=None)

    def is_that_of(self, path: Path) -> bool:
        """Whether the file still is the one that this was taken of."""
        try:
            found = identity_of(path)
        except OSError:
            return False
        return (found if self.lies else found.on_any_machine) == self


@dataclass(frozen=True)
class PopulationFile:
    """What the metadata of a file say, found to fit together."""

    path: Path
    schema: pa.Schema
    leaves: tuple[Leaf, ...]
    group_rows: tuple[int, ...]
    identity: Identity

    @property
    def rows(self) -> int:
        """The households in it."""
        return sum(self.group_rows)


def open_population(path: Path) -> PopulationFile:
    """The file, its metadata checked. Raises ScreeningRefused for what is no Parquet file, or a torn or absurd one."""
    try:
        _check_ends(path)
        identity = identity_of(path)
        with _opened(path) as file:
            _check_metadata(path, file.metadata)
            groups = tuple(file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups))
            return PopulationFile(path, file.schema_arrow, tuple(_leaves(file)), groups, identity)
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.strerror and not isinstance(error, pa.ArrowException):
            raise ScreeningRefused(
                f"无法读取 {path}：{error.strerror}。检查路径与权限",
                f"{path} cannot be read: {error.strerror}. Check the path and your rights",
            ) from None
        raise _absurd(
            path, "文件尾的元数据无法解析或嵌套过深", "its metadata cannot be read, or nest too deeply"
        ) from None


def identity_of(path: Path) -> Identity:
    """The identity of a Parquet file. Raises OSError."""
    with path.open("rb") as opened:
        told = os.fstat(opened.fileno())
        opened.seek(max(told.st_size - FOOTER_END, 0))
        footer = int.from_bytes(opened.read(FOOTER_END)[:4], "little") + FOOTER_END
        opened.seek(max(told.st_size - min(footer, MAX_FOOTER_BYTES), 0))
        footer_sha256 = hashlib.sha256(opened.read(MAX_FOOTER_BYTES)).hexdigest()
    return Identity(told.st_size, footer_sha256, (told.st_mtime_ns, told.st_ino))


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes, in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def needed_leaves(file: PopulationFile, names: Iterable[str]) -> tuple[Leaf, ...]:
    """The columns of these names, those in them included."""
    wanted = tuple(names)
    inside = tuple(f"{name}." for name in wanted)
    return tuple(leaf for leaf in file.leaves if leaf.name in wanted or leaf.name.startswith(inside))


def check_chunks(file: PopulationFile, leaves: Iterable[Leaf]) -> None:
    """Raises ScreeningRefused where a column that will be read lies outside of the file, or says an absurd size."""
    paths = {leaf.path for leaf in leaves}
    bytes_of_file = file.path.stat().st_size
    with _opened(file.path) as opened:
        columns = [index for index in range(len(opened.schema)) if opened.schema.column(index).path in paths]
        for number in range(opened.metadata.num_row_groups):
            group = opened.metadata.row_group(number)
            for index in columns:
                if not _is_possible(group.column(index), opened.schema.column(index), group.num_rows, bytes_of_file):
                    raise _absurd(
                        file.path,
                        f"行组 {number} 的列 {file.leaves[index].name} 的大小或位置不可能",
                        f"row group {number}, column {file.leaves[index].name}: an impossible size or place",
                    )


def read_blocks(file: Path, leaves: Iterable[Leaf], groups: range, rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of these row groups, at most `rows` at a time, with these columns alone; one thread, little memory."""
    read = tuple(leaves)
    # Codes come as the file has them. Inside lists the library only does so for what was written as such.
    with _opened(file, [leaf.path for leaf in read if leaf.is_code]) as opened:
        # It cannot join lists of codes of two row groups, each of which has a dictionary of its own.
        for group in groups:
            yield from opened.iter_batches(rows, [group], [leaf.path for leaf in read], use_threads=False)


def _opened(path: Path, texts: list[str] | None = None) -> pq.ParquetFile:
    return pq.ParquetFile(
        path,
        read_dictionary=texts,
        buffer_size=READ_BUFFER_BYTES,
        pre_buffer=False,
        thrift_string_size_limit=MAX_FOOTER_BYTES,
        thrift_container_size_limit=MAX_FOOTER_BYTES,
    )


def _check_ends(path: Path) -> None:
    if not path.is_file():
        problem = ("不是文件", "is no file") if path.exists() else ("不存在", "does not exist")
        raise ScreeningRefused(
            f"{path} {problem[0]}。给出一个 Parquet 文件", f"{path} {problem[1]}. Name one Parquet file"
        )
    size = path.stat().st_size
    with path.open("rb") as opened:
        begin = opened.read(len(MAGIC))
        opened.seek(max(size - FOOTER_END, 0))
        end = opened.read(FOOTER_END)
    if begin == ENCRYPTED or end[4:] == ENCRYPTED:
        raise ScreeningRefused(
            f"{path} 是加密的 Parquet 文件。先解密", f"{path} is an encrypted Parquet file. Decrypt it first"
        )
    if size < LEAST_BYTES or begin != MAGIC:
        raise ScreeningRefused(
            f"{path} 不是 Parquet 文件。用 doudi population 或 DuckDB、polars、pandas 写成 Parquet",
            f"{path} is no Parquet file. Write Parquet with doudi population, DuckDB, polars or pandas",
        )
    footer = int.from_bytes(end[:4], "little")
    if end[4:] != MAGIC or footer > size - LEAST_BYTES:
        raise ScreeningRefused(
            f"{path} 不完整（文件尾缺失）。重新传输或重新生成",
            f"{path} is torn: its end is missing. Transfer or write it again",
        )
    if footer > MAX_FOOTER_BYTES:
        raise _absurd(path, f"元数据超过 {MAX_FOOTER_BYTES} 字节", f"its metadata are above {MAX_FOOTER_BYTES} bytes")


def _check_metadata(path: Path, metadata: pq.FileMetaData) -> None:
    groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    if metadata.num_columns > MAX_COLUMNS:
        raise _absurd(path, f"列数超过 {MAX_COLUMNS}", f"it has more than {MAX_COLUMNS} columns")
    if min(groups, default=0) < 0 or sum(groups) != metadata.num_rows:
        raise _absurd(path, "行数与各行组之和不符", "its number of rows is not the sum of its row groups'")


def _is_possible(chunk: pq.ColumnChunkMetaData, column: pq.ColumnSchema, rows: int, bytes_of_file: int) -> bool:
    begin = chunk.data_page_offset
    if chunk.dictionary_page_offset is not None:
        begin = min(begin, chunk.dictionary_page_offset)
    is_inside = begin >= len(MAGIC) and 0 <= chunk.total_compressed_size <= bytes_of_file - begin
    is_flat = column.max_repetition_level == 0
    fits = chunk.num_values == rows if is_flat else rows <= chunk.num_values <= rows * MAX_VALUES_A_ROW
    return is_inside and fits and 0 <= chunk.total_uncompressed_size <= MAX_ROW_GROUP_BYTES


def _leaves(file: pq.ParquetFile) -> Iterator[Leaf]:
    """The columns by the names that readers know; the file's own paths have parts of their own for each list."""
    schema = file.schema_arrow
    if len(set(schema.names)) < len(schema.names):
        raise ScreeningRefused("输入有同名的列。改名后再试", "columns of the input share a name. Rename them")
    named = [leaf for field in schema for leaf in _named(field.name, field.type)]
    for index, (name, found) in enumerate(named):
        is_flat = file.schema.column(index).max_repetition_level == 0
        yield Leaf(name, file.schema.column(index).path, is_flat and _is_text(found))


def _named(name: str, found: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    if pa.types.is_struct(found):
        for index in range(found.num_fields):
            yield from _named(f"{name}.{found.field(index).name}", found.field(index).type)
    elif pa.types.is_list(found) or pa.types.is_large_list(found) or pa.types.is_fixed_size_list(found):
        yield from _named(name, found.value_type)
    elif pa.types.is_map(found):
        yield from _named(f"{name}.key", found.key_type)
        yield from _named(f"{name}.value", found.item_type)
    else:
        yield name, found


def _is_text(found: pa.DataType) -> bool:
    return bool(pa.types.is_string(found) or pa.types.is_large_string(found))


def _absurd(path: Path, zh: str, en: str) -> ScreeningRefused:
    return ScreeningRefused(f"{path} 已损坏或不可信：{zh}。重新生成", f"{path} is damaged or lies: {en}. Write it anew")
