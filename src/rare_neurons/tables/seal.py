"""A seal in the tail of a Parquet file: digests of its pages and of its footer, which other readers skip.

Parquet's own page checksums cover neither page headers nor the footer, where a flipped bit is a wrong length, a wrong
encoding or another parameter. The seal stands behind the footer's structure, within its declared length, so that its
place is known from the file's end whatever the length says; readers parse the structure and ignore what follows it.

===========  ==========================================  ==================
bytes        content                                     digest
===========  ==========================================  ==================
0 … b        ``PAR1``, pages, page indices               `body`, XXH3-128
b … f        footer                                      with `body`: `tail`
f … f+40     the seal: mark, `body`, `tail`
f+40 … end   length of footer and seal, ``PAR1``         checked against b
===========  ==========================================  ==================
"""

import os
from pathlib import Path
from typing import BinaryIO

try:
    import xxhash
except ImportError:  # for reading alone, where pyarrow is all there is: page checksums must do
    xxhash = None

MAGIC = b"PAR1"  # the first and last bytes of every Parquet file
_MARK = b"\x89RNSEAL\x01"
_DIGEST = 16  # bytes of XXH3-128
_SEAL = len(_MARK) + 2 * _DIGEST
_END = 8  # length of the footer (little-endian), then the magic
_LIKE_A_MARK = 16
"""Bits in which a mark may differ and is still a damaged one: other bytes there differ in 32 of 64 on average."""


def add_seal(path: Path) -> None:
    """Seal a Parquet file that was just written and that no one reads yet."""
    with path.open("r+b") as file:
        data = file.read()
        start = len(data) - _END - _footer_length(data)
        body, footer = memoryview(data)[:start], data[start:-_END]
        digest = xxhash.xxh3_128_digest(body)
        file.seek(len(data) - _END)
        file.write(_MARK + digest + _tail_digest(footer, digest) + (len(footer) + _SEAL).to_bytes(4, "little") + MAGIC)


def read_end(file: BinaryIO) -> bytes:
    """Read the end of a file from its footer on, and check it with its seal where it has one.

    Raises
    ------
    ValueError
        If it is no end of a Parquet file, or not the one that was sealed.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _END, 0))
    length = _checked_length(file.read(), size)
    file.seek(size - length - _END)
    end = file.read()
    _check_footer(end[:-_END])
    return end


def _checked_length(end: bytes, size: int) -> int:
    """Length of the footer, seal included, from the last bytes of a file of `size` bytes."""
    if size < _END + len(MAGIC) or end[-4:] != MAGIC:
        raise ValueError(f"it has {size} bytes and no end of a Parquet file")
    length = _footer_length(end)
    if length > size - _END - len(MAGIC):
        raise ValueError(f"its footer claims {length} bytes of {size}")
    return length


def _check_footer(footer: bytes) -> bool:
    """Check a footer with its seal; False where there is no seal, or no xxhash to check it with."""
    mark, digest, tail = _parts(footer)
    if mark != _MARK:
        # Zeros are a block that was never written; no footer ends so.
        if _bits_that_differ(mark) <= _LIKE_A_MARK or not any(mark):
            raise ValueError("the mark of its seal is damaged")
        return False
    if xxhash is None:
        return False
    if _tail_digest(footer[:-_SEAL], digest) != tail:
        raise ValueError("its footer does not have its digest")
    return True


def check_whole(data: bytes) -> bool:
    """Check all bytes of a file; False where it has no seal (another program, or an earlier version, wrote it).

    Without xxhash nothing is checked here, and the answer is False too: Parquet's page checksums are all there is.

    Raises
    ------
    ValueError
        If a byte is not the one that was sealed.
    """
    length = _checked_length(data[-_END:], len(data))
    start = len(data) - _END - length
    footer = data[start:-_END]
    if not _check_footer(footer):
        return False
    if xxhash.xxh3_128_digest(memoryview(data)[:start]) != _parts(footer)[1]:
        raise ValueError("its pages do not have their digest")
    return True


def _parts(footer: bytes) -> tuple[bytes, bytes, bytes]:
    seal = footer[-_SEAL:]
    return seal[: len(_MARK)], seal[len(_MARK) : -_DIGEST], seal[-_DIGEST:]


def _tail_digest(footer: bytes, body: bytes) -> bytes:
    return xxhash.xxh3_128_digest(footer + body)


def _footer_length(data: bytes) -> int:
    return int.from_bytes(data[-_END : -len(MAGIC)], "little")


def _bits_that_differ(mark: bytes) -> int:
    return (int.from_bytes(mark.ljust(len(_MARK), b"\0")) ^ int.from_bytes(_MARK)).bit_count()
