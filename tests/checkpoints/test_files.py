"""Only regular files are read, and of JSON no more than the bounds say."""

import json
import os
import socket

import pytest

from rare_neurons.checkpoints.files import JsonBounds, check_regular, open_regular, parse_json, read_config, read_json
from rare_neurons.errors import DataFault

BOUNDS = JsonBounds(bytes=100, values=10, depth=3)


def pipe(path):
    os.mkfifo(path)


def listening(path):
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(path.parent)  # names of sockets have at most 108 characters
        made.bind(path.name)
        os.chdir(here)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: None, "is not there"),
        (lambda path: path.mkdir(), "is a folder, not a regular file"),
        (pipe, "is a named pipe, not a regular file"),
        (listening, "is a socket, not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, not a regular file"),
        (lambda path: path.symlink_to("nowhere"), "is a link to nothing"),
        (lambda path: path.symlink_to(path.name), "is a link that cannot be followed"),
    ],
)
def test_what_is_no_regular_file_is_named_and_not_waited_for(tmp_path, make, what):
    make(tmp_path / "config.json")
    for read in (check_regular, open_regular, lambda path: read_json(path, BOUNDS)):
        with pytest.raises(DataFault, match=rf"config\.json of \S+ {what}"):
            read(tmp_path / "config.json")


def test_a_pipe_that_replaces_a_file_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "x")
    seen = []
    monkeypatch.setattr("rare_neurons.checkpoints.files.check_regular", seen.append)
    open_regular(tmp_path / "x")
    assert len(seen) == 2  # before it is opened, and once it is seen to be something else


def test_links_to_files_are_followed(tmp_path):
    (tmp_path / "blob").write_bytes(b"{}")
    (tmp_path / "config.json").symlink_to("blob")
    assert read_config(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "Expecting value"),
        (b"\xff{}", "invalid start byte"),
        (b"{} {}", "Extra data"),
        (b'{"a": NaN}', "'NaN' is no finite number"),
        (b'{"a": -Infinity}', "'-Infinity' is no finite number"),
        (b'{"a": 1e400}', "'1e400' is no finite number"),
        (b'{"a": 1, "a": 2}', "a name twice in an object that begins with 'a'"),
        (b"[[[[]]]]", "nested deeper than 3"),
        (b'{"a": {"b": {"c": [1]}}}', "nested deeper than 3"),
        (b"[1,2,3,4,5,6,7,8,9,0,1]", "11 values, at most 10 are read"),
        (b"1" * 5000, "Exceeds the limit"),
    ],
)
def test_json_out_of_bounds_is_refused_with_the_reason(text, why):
    with pytest.raises(ValueError, match=why):
        parse_json(text, BOUNDS)


def test_nesting_beyond_the_interpreters_own_limit_is_refused_too():
    with pytest.raises(ValueError, match="nested deeper than 2000000"):
        parse_json(b"[" * 1_000_000, JsonBounds(2**21, 2**21, depth=2_000_000))


def test_json_in_bounds_is_read_as_it_is():
    value = {"a": [1, 2.5, None, True, "[[[,,,"], "b": {"c": []}}
    assert parse_json(json.dumps(value).encode(), JsonBounds(100, 20, 3)) == value
    assert parse_json(b'{"a": 1, "a": 2}', JsonBounds(100, 10, 3, unique=False)) == {"a": 2}


def test_a_configuration_is_an_object_of_bounded_size(tmp_path):
    with pytest.raises(DataFault, match=rf"no config\.json in {tmp_path.name}"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(DataFault, match="holds a list, not an object"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text("{" + " " * 2**20 + "}")
    with pytest.raises(DataFault, match="has more than 1048576 bytes"):
        read_config(tmp_path)
