"""The wire side of the loopback hub: faults, the log's entries, and the answers to requests."""

import json
import re
import select
import socket
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
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
    """One answered request: `whole` if a file's complete body went out, `sent` in bytes of body,
    `authorized` if it carried a token."""

    method: str
    path: str
    status: int
    range: str | None = None
    sent: int = 0
    whole: bool = False
    authorized: bool = False


class HubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: 40 ms each otherwise

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
        if fault.stall:
            time.sleep(fault.stall)
            if self._client_is_gone():
                self.close_connection = True
                return None
        if fault.status is not None:
            return self._answer(fault.status, b'{"error": "injected"}', fault.headers)
        if match := re.fullmatch(r"/cdn/([^/]+/[^/]+)/([^/]+)/(.+)", path):
            return self._file(self.server.root / match[1] / match[2] / match[3], fault, {})
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(refs|tree|revision)(?:/([^/]+))?(?:/(.+))?)?", path):
            return self._metadata(*match.groups())
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._resolve(*match.groups(), fault)
        return self._error("RepoNotFound", 401)

    def _client_is_gone(self) -> bool:
        """A kernel takes small answers to a closed connection without complaint; they would count as served."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

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
            asked = (self.command, unquote(self.path), status, self.headers.get("Range"))
            self.server.record(Served(*asked, sent, whole, "Authorization" in self.headers))
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
