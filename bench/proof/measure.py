#!/usr/bin/env python3
"""How long it takes to prove a prediction, and to verify the proof.

    measure.py BARTIZAN DIR

BARTIZAN is the binary; DIR is what `bartizan demo --keep DIR --no-serve` left behind. A server is started on DIR, a
prediction is sealed and proved again and again over the API, as `prove` does by itself (output and decisions shown,
inputs hidden) and with `--hide output`; the file is verified by a process of its own each time. Prints medians and
worst cases in milliseconds, and the size of the file.
"""

import json
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROUNDS = 50
VARIANTS = (("by default", ""), ("with --hide output", "?hide=output"))


def main() -> None:
    binary, kept = sys.argv[1], Path(sys.argv[2])
    data = kept / "data"
    key = json.loads((kept / "keys.json").read_text())["sam"]
    server = subprocess.Popen(
        [binary, "--data-dir", str(data), "up", "--listen", "127.0.0.1:0", "--inference", "127.0.0.1:0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        api = None
        for line in server.stderr:
            found = re.search(r"console is at (http://[^/]+)", line)
            api = found.group(1) if found else api
            if "predictions are answered" in line:
                break
        call = lambda path, body=None: urllib.request.urlopen(  # noqa: E731
            urllib.request.Request(
                api + path, headers={"Authorization": f"Bearer {key}"}, data=body, method="POST" if body else "GET"
            )
        ).read()
        page = json.loads(call("/api/v1/predictions/search", b'{"limit": 50}'))
        ids = [row["id"] for row in page["predictions"]]
        made = [measured(call, ids, query) for _, query in VARIANTS]
    finally:
        server.terminate()
        server.wait()
    file = kept / "measured.proof.json"
    for (variant, query), (times, sizes, proof) in zip(VARIANTS, made):
        # A verifier of its own: the trees of both were asked for without saying what was seen before.
        memory = kept / ("measured-hidden" if query else "measured")
        file.write_bytes(proof)
        checks = []
        for _ in range(ROUNDS):
            command = [binary, "verify", str(file), "--trust", str(kept / "trust.json"), "--allow-development"]
            command += ["--prediction", ids[(ROUNDS - 1) % len(ids)]]
            begun = time.perf_counter()
            subprocess.run(command + ["--memory", str(memory)], check=True, capture_output=True)
            checks.append((time.perf_counter() - begun) * 1000)
        print(variant)
        for what, each in (("made, over the API", times), ("verified, by a new process", checks)):
            print(f"  {what:28} median {statistics.median(each):6.1f} ms   worst {max(each):6.1f} ms")
        print(f"  {'size':28} {max(sizes)} bytes at most, {statistics.median(sizes):.0f} in the middle")


def measured(call, ids: list[str], query: str) -> tuple[list[float], list[int], bytes]:
    """Proves again and again: milliseconds, bytes, and the last file."""
    times, sizes, proof = [], [], b""
    for number in range(ROUNDS):
        begun = time.perf_counter()
        proof = call(f"/api/v1/predictions/{ids[number % len(ids)]}/proof{query}")
        times.append((time.perf_counter() - begun) * 1000)
        sizes.append(len(proof))
    return times, sizes, proof


main()
