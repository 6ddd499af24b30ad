"""Set up the environment of the Makefile: `python tools/install.py VENV [REQUIREMENT …]`, by a Python without packages.

By uv where it can be had (a tenth of the work), else by pip. uv does not read pip's settings; where packages come from
on this computer, by pip's files and environment, is passed on to it. Requirements on the command line replace lines of
requirements.lock, each with the sources in it: "torch==2.13.0 --extra-index-url https://…".
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = "uv>=0.9,<1"
PIP = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
SOURCES = ("index-url", "extra-index-url", "find-links", "no-index")


def main() -> None:
    """Make the environment and install everything into it."""
    venv, *asked = sys.argv[1:]
    # A cache of bytecode that is written once saves every process its compilation, whatever the environment says.
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    python = Path(venv).absolute() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    hashed, rest = (Path(venv) / name for name in ("hashed.txt", "wanted.txt"))
    lines = wanted_lines((ROOT / "requirements.lock").read_text(), asked)
    hashed.write_text("\n".join(line for line in lines if has_digest(line)) + "\n")
    rest.write_text("\n".join(line for line in lines if not has_digest(line)) + "\n")
    uv = find_uv(python)
    if uv is None:
        install = [python, *PIP, "install", "--no-compile"]
    else:
        install = [*uv, "pip", "install", "--quiet", "--python", str(python), *uv_sources(pip_settings(python))]
        # Every listed source may have the build that is asked for, not only the first that knows the name.
        install += ["--index-strategy", "unsafe-best-match"]
    subprocess.run([*install, "--no-deps", "--require-hashes", "-r", hashed], check=True)
    subprocess.run([*install, "-r", rest], check=True)
    subprocess.run([*install, "--no-deps", "--editable", ROOT], check=True)


def wanted_lines(lock: str, asked: list[str]) -> list[str]:
    """Lines of the lock; those of packages that are asked for otherwise replaced, with their sources in front."""
    lines, sources = re.sub(r" *\\\n *", " ", lock).splitlines(), []
    for text in asked:
        requirement, *options = shlex.split(text)
        name = re.split(r"[=<>!~\[; ]", requirement)[0].lower()
        lines = [line for line in lines if re.split(r"[=<>!~\[; ]", line)[0].lower() != name] + [requirement]
        sources += [f"{option} {value}" for option, value in zip(options[::2], options[1::2], strict=True)]
    return sources + lines


def has_digest(line: str) -> bool:
    """Whether the files of a requirement are known: all but those that have a build for every device."""
    return "--hash=" in line


def find_uv(python: Path) -> list[str] | None:
    """Return how to call uv: from the search path, or installed beside what it installs; None where there is none."""
    for command in (["uv"], [str(python), "-m", "uv"]):
        try:
            if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0:
                return command
        except FileNotFoundError:
            continue
    done = subprocess.run([python, *PIP, "install", UV], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"uv could not be installed, pip goes on alone: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    return [str(python), "-m", "uv"]


def pip_settings(python: Path) -> dict[str, list[str]]:
    """Where pip takes packages from, by its files and the environment."""
    found = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    return sources_of(found)


def sources_of(listed: str) -> dict[str, list[str]]:
    """Settings that name sources, from the lines of ``pip config list``."""
    settings: dict[str, list[str]] = {}
    # The environment comes first there, and counts most.
    for line in reversed(listed.splitlines()):
        key, _, value = line.partition("=")
        name = key.split(".")[-1]
        if name in SOURCES:
            settings[name] = shlex.split(value.strip("'\""))
    return settings


def uv_sources(settings: dict[str, list[str]]) -> list[str]:
    """Options of uv for pip's settings."""
    options = []
    for name, values in settings.items():
        if name == "no-index":
            options += ["--no-index"] if values[:1] in (["true"], ["1"], ["yes"], ["on"]) else []
        else:
            options += [part for value in values for part in (f"--{name}", value)]
    return options


if __name__ == "__main__":
    main()
