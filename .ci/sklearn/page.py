#!/usr/bin/env python3
"""Runs docs/scikit-learn.md: page.py PAGE TRANSACTIONS BARTIZAN VENV SCRATCH

Blocks ```python NAME become files, the blocks ```sh together one script that stops at the first failure. Only the
two ports are replaced, by free ones. Exits with 1 when anything on the page does not work."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys


def free_ports():
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def main():
    page, transactions, bartizan, venv, scratch = map(pathlib.Path, sys.argv[1:])
    text = page.read_text(encoding="utf-8")
    for port, free in zip(("7878", "7879"), free_ports()):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    shutil.copy(transactions, scratch / "transactions.csv")
    (scratch / "venv").symlink_to(venv.resolve())
    script = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for kind, name, body in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", text, re.M | re.S):
        if kind == "python":
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_text(body, encoding="utf-8")
        elif kind == "sh":
            script.append(body)
    (scratch / "page.sh").write_text("\n".join(script), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BARTIZAN_")}
    environment["PATH"] = f"{bartizan.resolve().parent}:{environment['PATH']}"
    done = subprocess.run(["bash", "-x", "page.sh"], cwd=scratch, env=environment, timeout=300)
    if done.returncode:
        log = scratch / "up.log"
        print(log.read_text() if log.exists() else "", file=sys.stderr)
        sys.exit(f"page.py: {page} does not work as it stands (exit code {done.returncode})")


main()
