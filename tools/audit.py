"""Known vulnerabilities of locked packages: runs pip-audit, and says what it could not look up.

``python -m tools.audit requirements.lock …``, in an environment that has pip-audit. A package that its database
does not have is no clean package; pip-audit skips it and ends with 0, and without a network all would seem well.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory


def report(found: dict) -> tuple[list[str], list[str], int]:
    """Lines for packages with vulnerabilities, names that were not looked up, and how many were."""
    bad, skipped, looked_up = [], [], 0
    for package in found["dependencies"]:
        if "skip_reason" in package:
            skipped.append(package["name"])
            continue
        looked_up += 1
        for one in package["vulns"]:
            fixed = ", ".join(one["fix_versions"]) or "no version"
            bad.append(f"{package['name']} {package['version']}: {one['id']}, fixed in {fixed}")
    return bad, skipped, looked_up


def main(files: Sequence[str]) -> int:
    lines = [line for file in files for line in Path(file).read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as folder:
        # Versions alone: files in which some have digests and some have none are refused.
        pinned = Path(folder, "pinned.txt")
        pinned.write_text("\n".join(line.split()[0] for line in lines if "==" in line and not line.startswith("#")))
        command = [
            sys.executable,
            "-m",
            "pip_audit",
            "--format",
            "json",
            "--no-deps",
            "--disable-pip",
            "-r",
            str(pinned),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
    try:
        bad, skipped, looked_up = report(json.loads(done.stdout))
    except ValueError:
        print(f"not audited: pip-audit has reached no database\n{done.stderr[-500:]}", file=sys.stderr)
        return 0
    print(*bad, sep="\n")
    print(f"{looked_up} packages looked up, {len(bad)} vulnerabilities", file=sys.stderr)
    if skipped:
        print(f"not audited, as the database does not have them: {', '.join(skipped)}", file=sys.stderr)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
