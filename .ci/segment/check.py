#!/usr/bin/env python3
"""Recomputes the root of a sample segment and verifies its record proofs with hashlib alone.

It follows docs/formats/record.md and docs/formats/segment.md and shares no code with Bartizan.
"""

import base64
import hashlib
import pathlib
import struct
import sys

HEADER = 232


def sha256(data):
    return hashlib.sha256(data).digest()


def require(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def subtree(leaves):
    """RFC 6962, section 2.1, as it is defined there: split at the largest power of two below the size."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + subtree(leaves[:split]) + subtree(leaves[split:]))


def climb(leaf, index, count, path):
    """RFC 9162, section 2.1.3.2."""
    require(index < count, "the index is below the count")
    node, last = index, count - 1
    for sibling in path:
        require(last > 0, "the path is not too long")
        if node & 1 or node == last:
            leaf = sha256(b"\x01" + sibling + leaf)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            leaf = sha256(b"\x01" + leaf + sibling)
        node, last = node >> 1, last >> 1
    require(last == 0, "the path is not too short")
    return leaf


def record_digest(commitments):
    require(len(commitments) == 5, "a record has five commitments")
    return sha256(b"bartizan-record-v1" + b"".join(commitments))


def check_segment(data):
    """Returns root and count of a segment whose header, digests and first block fit each other."""
    require(data[:20] == b"bartizan-segment-v1\n", "the segment has its first line")
    first, last, count, lost = struct.unpack(">4Q", data[52:84])
    require(last + 1 - first == count + lost, "the sequence numbers are all there")
    root = data[140:172]
    digests = [data[HEADER + 32 * at : HEADER + 32 * (at + 1)] for at in range(count)]
    require(subtree([sha256(b"\x00" + digest) for digest in digests]) == root, "the digests lead to the root")
    block = HEADER + 32 * count
    for at, digest in enumerate(digests[:256]):
        commitments = data[block + 160 * at : block + 160 * (at + 1)]
        parts = [commitments[32 * part : 32 * (part + 1)] for part in range(5)]
        require(record_digest(parts) == digest, f"the commitments of record {at} lead to its digest")
    return root, count


def check_proof(text, root, count):
    """Verifies a proof; returns how many groups it reveals."""
    lines = text.decode("utf-8").split("\n")
    require(lines.pop() == "", "the proof ends in a line feed")
    require(lines[0] == "bartizan-record-proof-v1", "the proof has its first line")
    index, claimed = int(lines[1].removeprefix("index ")), int(lines[2].removeprefix("count "))
    require(claimed == count, "the proof is about this segment")
    commitments, revealed = [], 0
    for line in lines[3:8]:
        word, *values = line.split(" ")
        values = [base64.b64decode(value, validate=True) for value in values]
        if word == "hidden":
            (commitment,) = values
        else:
            require(word == "revealed", "a group is hidden or revealed")
            salt, group = values
            require(len(salt) == 32, "a salt has 32 bytes")
            commitment = sha256(salt + group)
            revealed += 1
        commitments.append(commitment)
    path = [base64.b64decode(line, validate=True) for line in lines[8:]]
    leaf = sha256(b"\x00" + record_digest(commitments))
    require(climb(leaf, index, count, path) == root, f"the proof of record {index} leads to the root")
    return revealed


def main():
    here = pathlib.Path(__file__).resolve().parent
    sample = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here / "../../tests/golden/segment/v1"
    data = (sample / "records/seg/00000000/0000000000000001").read_bytes()
    root, count = check_segment(data)
    require(root.hex() == (sample / "root-of-segment-1").read_text().strip(), "the root is the one on record")
    for name, reveals in [("proof-5", 5), ("proof-2-erased", 1)]:
        require(check_proof((sample / name).read_bytes(), root, count) == reveals, f"{name} reveals {reveals}")
    print(f"segment of {count} records and its proofs verify under root {root.hex()}")


if __name__ == "__main__":
    main()
