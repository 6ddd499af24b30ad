"""Digests against published ones: sha256 of a NIST vector, the blob id that git itself gives."""

import pytest

from rare_neurons.checkpoints.digests import content_hasher, expected_digest, feed, file_sha256, matches
from rare_neurons.checkpoints.manifest import ManifestFile

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
HELLO = "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object of "hello\n"


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sha256(tmp_path / "abc") == ABC


@pytest.mark.parametrize(
    ("content", "file"),
    [(b"abc", ManifestFile("x", 3, ABC)), (b"hello\n", ManifestFile("x", 6, None, HELLO))],
)
def test_a_file_matches_its_entry_by_size_and_content(tmp_path, content, file):
    path = tmp_path / "x"
    path.write_bytes(content)
    assert matches(path, file)
    path.write_bytes(content[:-1] + b"!")
    assert not matches(path, file)
    path.write_bytes(content + b"!")
    assert not matches(path, file)


def test_content_may_come_in_parts(tmp_path):
    file = ManifestFile("x", 6, None, HELLO)
    (tmp_path / "beginning").write_bytes(b"hel")
    hasher = content_hasher(file)
    feed(hasher, tmp_path / "beginning")
    assert hasher.hexdigest() != expected_digest(file)
    hasher.update(b"lo\n")
    assert hasher.hexdigest() == expected_digest(file)
