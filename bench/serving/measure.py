"""Asks MLServer and Bartizan for predictions in turn, and reports requests per second of the server's processor time.

measure.py --models DIR --bartizan BINARY --mlserver BINARY, with DIR as models.py made it. Python's library alone."""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")
MODELS = ["logistic", "forest"]
# Both answer from the same fitted model, one in 32-bit numbers.
TOLERANCE = 1e-4

WRK = """
local body = assert(io.open(os.getenv("BODY"), "rb")):read("*a")
wrk.method, wrk.body = "POST", body
wrk.headers["Content-Type"] = "application/json"
local key = os.getenv("KEY")
if key ~= "" then wrk.headers["Authorization"] = "Bearer " .. key end
local refused = {}
function setup(thread) table.insert(refused, thread) end
function init() bad = 0 end
function response(status) if status ~= 200 then bad = bad + 1 end end
function done(summary)
  local bad = 0
  for _, thread in ipairs(refused) do bad = bad + thread:get("bad") end
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, bad, e.connect + e.read + e.write + e.timeout))
end
"""


def family(pid):
    """A process and everything that it started."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for tasks in pathlib.Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting.extend(int(child) for child in tasks.read_text().split())
    return found


def cpu_seconds(pid):
    """User and system time of all of them, that of children which have ended included."""
    ticks = 0
    for one in family(pid):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS


def memory(pid):
    """Resident and proportional memory of all of them, in MB."""
    rss = pss = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text()
            rss += int(re.search(r"^Rss:\s+(\d+)", text, re.M)[1])
            pss += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return rss / 1e3, pss / 1e3


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ask(port, path, key="", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    connection.request("POST" if body else "GET", path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def until_ready(server, port, names):
    deadline = time.monotonic() + 120
    for name in names:
        while True:
            with contextlib.suppress(OSError):
                if ask(port, f"/v2/models/{name}/ready")[0] == 200:
                    break
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"a server does not get ready: {server.args}")
            time.sleep(0.1)


class MLServer:
    def __init__(self, given, work, workers):
        self.name, self.key, self.shape, self.output = f"mlserver, {workers} workers", "", "matrix", "predict_proba"
        if workers == 0:
            self.name = "mlserver, in one process"
        folder = work / f"mlserver-{workers}"
        shutil.copytree(given.models, folder, ignore=shutil.ignore_patterns("onnx", "*.csv", "*.requests.json"))
        self.port = free_port()
        (folder / "settings.json").write_text(json.dumps({
            "debug": False, "host": "127.0.0.1", "http_port": self.port, "grpc_port": free_port(),
            "metrics_port": free_port(), "parallel_workers": workers,
            # Its log of each request would count against it.
            "logging_settings": {"version": 1, "loggers": {
                "uvicorn.access": {"level": "ERROR"}, "mlserver": {"level": "ERROR"}}},
        }))
        self.command = [given.mlserver, "start", str(folder)]

    def start(self, log, pinned):
        environment = os.environ | {"PATH": os.path.dirname(self.command[0]) + ":" + os.environ["PATH"]}
        self.process = subprocess.Popen(pinned + self.command, stdout=log, stderr=log, env=environment)
        until_ready(self.process, self.port, MODELS)


class Bartizan:
    """A project in which both models were imported, with the data they were trained on, approved and routed."""

    def __init__(self, given, work):
        self.name, self.shape, self.output = "bartizan", "columns", "probabilities"
        self.port = free_port()
        self.command = [given.bartizan, "--data-dir", str(work / "bartizan-data"), "-o", "json"]
        self.run("init")
        self.run("data", "add", "train", given.models / "train.csv", "--source", "benchmark", "--label", "label")
        for name in MODELS:
            self.run("model", "import", given.models / "onnx" / name, "--name", name, "--origin", "scikit-learn",
                     "--trained-on", "train:1")
            self.run("model", "approve", f"{name}:1")
            self.run("endpoint", "route", name, "--model", f"{name}:1", "--no-fallback", "--beyond", "reject")
        self.key = json.loads(self.run("access", "key", "create", "admin", "--days", "1"))["key"]

    def run(self, *arguments):
        done = subprocess.run(self.command + list(map(str, arguments)), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{arguments}: {done.stderr}")
        return done.stdout

    def start(self, log, pinned):
        addresses = ["--listen", f"127.0.0.1:{free_port()}", "--inference", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(pinned + self.command + ["up"] + addresses, stdout=log, stderr=log)
        until_ready(self.process, self.port, MODELS)


def end(server):
    server.process.send_signal(signal.SIGTERM)
    try:
        server.process.wait(60)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


def compare(server, name, requests):
    """Every request has the answer that scikit-learn itself gives; a comparison of wrong answers is none."""
    for request in requests:
        body = json.dumps(request[server.shape])
        status, answer = ask(server.port, f"/v2/models/{name}/infer", server.key, body)
        if status != 200:
            sys.exit(f"{server.name}, {name}: {status} {answer[:300]}")
        outputs = {output["name"]: output["data"] for output in json.loads(answer)["outputs"]}
        got = outputs[server.output]
        worst = max(abs(a - b) for a, b in zip(got, request["expected"], strict=True))
        if worst > TOLERANCE:
            sys.exit(f"{server.name}, {name}: {got} for {request['expected']}")


def load(server, name, given, work):
    """Requests that were answered in a while, and the seconds of processor time they took."""
    environment = os.environ | {"BODY": str(work / f"{name}.{server.shape}.json"), "KEY": server.key}
    url = f"http://127.0.0.1:{server.port}/v2/models/{name}/infer"
    threads = min(2, given.connections)
    command = ["wrk", f"-t{threads}", f"-c{given.connections}", f"-d{given.seconds}s", "--timeout", "30s", "-s", str(work / "wrk.lua"), url]
    before, began = cpu_seconds(server.process.pid), time.monotonic()
    done = subprocess.run(given.pin_client + command, capture_output=True, text=True, env=environment, check=True)
    wall, cpu = time.monotonic() - began, cpu_seconds(server.process.pid) - before
    requests, refused, broken = map(int, re.search(r"RESULT (\d+) (\d+) (\d+)", done.stdout).groups())
    if refused or broken or not requests:
        sys.exit(f"{server.name}, {name}: {refused} refused, {broken} broken of {requests}\n{done.stdout}")
    return requests, wall, cpu


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--models", required=True, type=pathlib.Path)
    arguments.add_argument("--bartizan", required=True)
    arguments.add_argument("--mlserver")
    arguments.add_argument("--work", default=None)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=8)
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--workers", type=int, nargs="*", default=[0, 1], help="of MLServer; 0 is none beside the server itself")
    arguments.add_argument("--only", choices=MODELS)
    given = arguments.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed: apt-get install wrk")
    # The load and the server on cores of their own, where there are four.
    apart = (os.cpu_count() or 1) >= 4 and shutil.which("taskset")
    pinned, given.pin_client = (["taskset", "-c", "0,1"], ["taskset", "-c", "2,3"]) if apart else ([], [])
    work = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-serving.", dir=given.work))
    try:
        measure(given, work, pinned)
    finally:
        shutil.rmtree(work)


def measure(given, work, pinned):
    (work / "wrk.lua").write_text(WRK)
    requests = {name: json.loads((given.models / f"{name}.requests.json").read_text()) for name in MODELS}
    for name in MODELS:
        for shape in ("matrix", "columns"):
            (work / f"{name}.{shape}.json").write_text(json.dumps(requests[name][0][shape]))
    servers = [Bartizan(given, work)]
    if given.mlserver:
        servers += [MLServer(given, work, workers) for workers in given.workers]
    best, resident = {}, {}
    with open(work / "servers.log", "wb") as log:
        for round_ in range(given.rounds):
            for server in servers:
                server.start(log, pinned)
                try:
                    time.sleep(2)
                    resident.setdefault(server.name, memory(server.process.pid))
                    for name in [given.only] if given.only else MODELS:
                        if round_ == 0:
                            compare(server, name, requests[name])
                        count, wall, cpu = load(server, name, given, work)
                        print(f"round {round_ + 1}: {name:9} {server.name:26} {count / wall:9.0f}/s {count / cpu:9.0f} per CPU-second",
                              flush=True)
                        key = (name, server.name)
                        best[key] = max(best.get(key, 0), count / cpu)
                finally:
                    end(server)
    report(given, servers, best, resident)


def report(given, servers, best, resident):
    print(f"\n1 row a request, {given.connections} connections, best of {given.rounds} rounds of {given.seconds} s")
    for name in [given.only] if given.only else MODELS:
        ours = best[name, "bartizan"]
        for server in servers:
            rate = best[name, server.name]
            ratio = "" if server.name == "bartizan" else f", bartizan {ours / rate:.0f} times that"
            print(f"  {name:9} {server.name:26} {rate:9.0f} per CPU-second{ratio}")
    for server in servers:
        rss, pss = resident[server.name]
        print(f"  idle memory, both models loaded: {server.name:26} {rss:6.0f} MB resident, {pss:6.0f} MB of its own share")


if __name__ == "__main__":
    main()
