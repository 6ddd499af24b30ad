"""A Hugging Face Hub on the loopback interface, which serves folders and can be told to misbehave.

Layout: ``ROOT/<owner>/<name>/<revision>/<files>``. What the real Hub does and the client relies on:

* ``GET /api/models/<repo>/refs`` lists branches with their commits;
* ``GET /api/models/<repo>/revision/<revision>`` and ``…/tree/<revision>`` list files; large ones (by suffix) carry
  the sha256 of their content, small ones only their git blob id;
* ``GET /<repo>/resolve/<revision>/<file>`` gives small files itself, and redirects large ones to another host name
  with the sha256 in ``X-Linked-Etag``; both honour ``Range``;
* errors name their kind in ``X-Error-Code``.
"""

import argparse
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

LARGE = (".safetensors", ".bin", ".pt")


@dataclass
class Fault:
    """What to do to the next `times` requests whose ``"METHOD path"`` matches a regular expression."""

    match: str
    times: int = 1
    status: int | None = None  # answer with this status
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # close the connection after so many bytes of the body
    truncate: int | None = None  # serve only so many bytes, and say so in Content-Length
    flip: bool = False  # change the last byte
    stall: float = 0.0  # seconds of silence before the answer
    ignore_range: bool = False


@dataclass(frozen=True)
class Served:
    """One answered request: `whole` if a file's complete body went out, `sent` in bytes of body."""

    method: str
    path: str
    status: int
    range: str | None = None
    sent: int = 0
    whole: bool = False


class LoopbackHub(ThreadingHTTPServer):
    """The server; append to `faults` and read `log` at any time."""

    daemon_threads = True

    def __init__(self, root: Path, *, port: int = 0, bytes_per_second: float | None = None) -> None:
        self.root, self.bytes_per_second = Path(root).resolve(), bytes_per_second
        self.faults: list[Fault] = []
        self._log: list[Served] = []
        self._busy = 0
        self.guard = threading.Lock()
        self._digests: dict[tuple, str] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def log(self) -> list[Served]:
        """What was served; waits for answers still under way, whose clients may be ahead of the log."""
        while self._busy:
            time.sleep(0.002)
        return list(self._log)

    @contextmanager
    def answering(self) -> Iterator[None]:
        with self.guard:
            self._busy += 1
        try:
            yield
        finally:
            with self.guard:
                self._busy -= 1

    def record(self, entry: Served) -> None:
        with self.guard:
            self._log.append(entry)

    def downloads(self, *, whole: bool = False) -> list[str]:
        """Paths of the files served, in order; only completely served ones on request."""
        return [entry.path for entry in self.bodies() if entry.whole or not whole]

    def bodies(self) -> list[Served]:
        """Answers that carried a file, or a part of one."""
        answers = [entry for entry in self.log if entry.method == "GET" and entry.status in (200, 206)]
        return [entry for entry in answers if not entry.path.startswith("/api/")]

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is part of the tests."""

    def take_fault(self, line: str) -> Fault | None:
        with self.guard:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.match, line):
                    fault.times -= 1
                    return fault
        return None

    def revisions(self, repo: str) -> list[str] | None:
        folder = self.root / repo
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else None

    def commit(self, repo: str, revision: str) -> str:
        return hashlib.sha1(f"{repo}@{revision}".encode()).hexdigest()

    def folder(self, repo: str, revision: str) -> Path | None:
        """Folder of a revision given by name or commit."""
        for name in self.revisions(repo) or []:
            if revision in (name, self.commit(repo, name)):
                return self.root / repo / name
        return None

    def digest(self, path: Path) -> str:
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in self._digests:
            data = path.read_bytes()
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data)
            self._digests[key] = (hashlib.sha256(data) if path.suffix in LARGE else blob).hexdigest()
        return self._digests[key]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: 40 ms each otherwise
    server: LoopbackHub

    def log_message(self, *_args) -> None:
        """Quiet."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        with self.server.answering():
            self._serve()

    def _serve(self) -> None:
        path = unquote(urlsplit(self.path).path)
        fault = self.server.take_fault(f"{self.command} {path}") or Fault("")
        time.sleep(fault.stall)
        if fault.status is not None:
            return self._answer(fault.status, b'{"error": "injected"}', fault.headers)
        if match := re.fullmatch(r"/cdn/([^/]+/[^/]+)/([^/]+)/(.+)", path):
            return self._file(self.server.root / match[1] / match[2] / match[3], fault, {})
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(refs|tree|revision)(?:/([^/]+))?(?:/(.+))?)?", path):
            return self._metadata(*match.groups())
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._resolve(*match.groups(), fault)
        return self._error("RepoNotFound", 401)

    def _metadata(self, repo: str, kind: str | None, revision: str | None, subfolder: str | None) -> None:
        hub, revisions = self.server, self.server.revisions(repo)
        if revisions is None:
            return self._error("RepoNotFound", 401)
        if kind == "refs":
            heads = [
                {"name": name, "ref": f"refs/heads/{name}", "targetCommit": hub.commit(repo, name)}
                for name in revisions
            ]
            return self._json({"branches": heads, "converts": [], "tags": []})
        folder = hub.folder(repo, revision or "main")
        if folder is None:
            return self._error("RevisionNotFound", 404)
        if subfolder is not None and not (folder / subfolder).is_dir():
            return self._error("EntryNotFound", 404)
        files = sorted(path for path in (folder / (subfolder or "")).iterdir() if path.is_file())
        if kind == "tree":
            return self._json([self._entry(folder, path) for path in files])
        siblings = [self._sibling(path) for path in files]
        return self._json({"id": repo, "modelId": repo, "sha": hub.commit(repo, folder.name), "siblings": siblings})

    def _entry(self, folder: Path, path: Path) -> dict:
        digest, size = self.server.digest(path), path.stat().st_size
        entry = {"type": "file", "path": path.relative_to(folder).as_posix(), "size": size, "oid": digest[:40]}
        return entry | ({"lfs": {"oid": digest, "size": size, "pointerSize": 134}} if path.suffix in LARGE else {})

    def _sibling(self, path: Path) -> dict:
        digest, size = self.server.digest(path), path.stat().st_size
        entry = {"rfilename": path.name, "size": size, "blobId": digest[:40]}
        return entry | ({"lfs": {"sha256": digest, "size": size, "pointerSize": 134}} if path.suffix in LARGE else {})

    def _resolve(self, repo: str, revision: str, name: str, fault: Fault) -> None:
        hub, folder = self.server, self.server.folder(repo, revision)
        if folder is None:
            return self._error("RepoNotFound" if hub.revisions(repo) is None else "RevisionNotFound", 404)
        path, headers = folder / name, {"X-Repo-Commit": hub.commit(repo, folder.name)}
        if not path.is_file():
            return self._error("EntryNotFound", 404, headers)
        etag = f'"{hub.digest(path)}"'
        if path.suffix not in LARGE:
            return self._file(path, fault, headers | {"ETag": etag})
        elsewhere = f"http://localhost:{hub.server_address[1]}/cdn/{repo}/{folder.name}/{quote(name)}"
        linked = {"X-Linked-Etag": etag, "X-Linked-Size": str(path.stat().st_size), "Location": elsewhere}
        return self._answer(302, b"", headers | linked)

    def _file(self, path: Path, fault: Fault, headers: dict[str, str]) -> None:
        if not path.is_file():
            return self._error("EntryNotFound", 404)
        data = path.read_bytes()
        if fault.flip:
            data = data[:-1] + bytes([data[-1] ^ 1])
        data = data[: fault.truncate]
        size, status, start = len(data), 200, 0
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if span and not fault.ignore_range:
            start, status = int(span[1]), 206
            if start >= size:
                return self._answer(416, b"", headers | {"Content-Range": f"bytes */{size}"})
            data = data[start : int(span[2]) + 1 if span[2] else None]
            headers = headers | {"Content-Range": f"bytes {start}-{start + len(data) - 1}/{size}"}
        headers = headers | {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        return self._answer(status, data, headers, cut=fault.cut, is_file=start == 0)

    def _json(self, value) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _error(self, code: str, status: int, headers: dict[str, str] | None = None) -> None:
        self._answer(status, json.dumps({"error": code}).encode(), {"X-Error-Code": code} | (headers or {}))

    def _answer(self, status: int, body: bytes, headers: dict[str, str], *, cut=None, is_file: bool = False) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        sent = 0
        try:
            if self.command != "HEAD":
                sent = self._send(body if cut is None else body[:cut])
        finally:
            whole = is_file and sent == len(body)
            entry = Served(self.command, unquote(self.path), status, self.headers.get("Range"), sent, whole)
            self.server.record(entry)
        if cut is not None:
            self.close_connection = True
            self.connection.shutdown(2)

    def _send(self, body: bytes) -> int:
        rate = self.server.bytes_per_second
        if rate is None:
            self.wfile.write(body)
            return len(body)
        block = max(1, int(rate / 50))
        for start in range(0, len(body), block):
            self.wfile.write(body[start : start + block])
            time.sleep(len(body[start : start + block]) / rate)
        return len(body)


@contextmanager
def serve(root: Path, **options) -> Iterator[LoopbackHub]:
    """Run a hub in a thread; options as of `LoopbackHub`."""
    with LoopbackHub(root, **options) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve ROOT/<owner>/<name>/<revision>/<files> as a Hub")
    parser.add_argument("root", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bytes-per-second", type=float)
    arguments = parser.parse_args()
    options = {"port": arguments.port, "bytes_per_second": arguments.bytes_per_second}
    with LoopbackHub(arguments.root, **options) as server:
        print(server.url, flush=True)
        server.serve_forever()
