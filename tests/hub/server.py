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
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.hub.handler import LARGE, Fault, HubHandler, Served

__all__ = ["Fault", "LoopbackHub", "Served", "serve"]


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
        super().__init__(("127.0.0.1", port), HubHandler)

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
