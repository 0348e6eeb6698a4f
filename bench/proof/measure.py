#!/usr/bin/env python3
"""How long it takes to prove a prediction, and to verify the proof.

    measure.py BARTIZAN DIR

BARTIZAN is the binary; DIR is what `bartizan demo --keep DIR --no-serve` left behind. A server is started on DIR, a
prediction is sealed and proved again and again over the API; the file is verified by a process of its own each time.
Prints medians and worst cases in milliseconds, and the size of the file.
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
        times, sizes, proof = [], [], b""
        for number in range(ROUNDS):
            path = f"/api/v1/predictions/{ids[number % len(ids)]}/proof?hide=output"
            begun = time.perf_counter()
            proof = call(path)
            times.append((time.perf_counter() - begun) * 1000)
            sizes.append(len(proof))
        file = kept / "measured.proof.json"
        file.write_bytes(proof)
    finally:
        server.terminate()
        server.wait()
    checks = []
    for _ in range(ROUNDS):
        command = [binary, "verify", str(file), "--trust", str(kept / "trust.json"), "--allow-development"]
        begun = time.perf_counter()
        subprocess.run(command + ["--memory", str(kept / "measured")], check=True, capture_output=True)
        checks.append((time.perf_counter() - begun) * 1000)
    for what, each in (("made, over the API", times), ("verified, by a new process", checks)):
        print(f"{what:28} median {statistics.median(each):6.1f} ms   worst {max(each):6.1f} ms")
    print(f"{'size':28} {max(sizes)} bytes at most")


main()
