"""CPU-seconds, wall seconds and peak memory of commands in turn, the best of three rounds: measure.py NAME COMMAND [-- NAME COMMAND]..."""

import os
import resource
import subprocess
import sys
import time

ROUNDS = int(os.environ.get("ROUNDS", "3"))


def run(command: list[str]) -> tuple[float, float, int]:
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} failed")
    return used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss // 1024


def main() -> None:
    commands, words = [], sys.argv[1:]
    while words:
        end = words.index("--") if "--" in words else len(words)
        commands.append((words[0], words[1:end]))
        words = words[end + 1 :]
    best = {name: [float("inf"), float("inf"), 0] for name, _ in commands}
    for _ in range(ROUNDS):
        for name, command in commands:
            cpu, wall, memory = run(command)
            known = best[name]
            best[name] = [min(known[0], cpu), min(known[1], wall), max(known[2], memory)]
    first = best[commands[0][0]]
    print(f"{'':28} {'CPU s':>8} {'wall s':>8} {'MiB':>6}   CPU of the first, wall of the first")
    for name, (cpu, wall, memory) in best.items():
        print(f"{name:28} {cpu:8.2f} {wall:8.2f} {memory:6}   {first[0] / cpu:.2f}x  {first[1] / wall:.2f}x")


main()
