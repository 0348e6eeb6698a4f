"""check.py LEDGER_DIR SCHEMA_DIR: every statement in a ledger fits the JSON Schema of its predicate type."""

import base64
import json
import pathlib
import struct
import sys

import jsonschema


def bundles(ledger):
    """The widest bundle of each place, in order: `tile/entries/000` or `tile/entries/000.p/17`."""
    root = ledger / "tile" / "entries"
    widest = {}
    for path in root.rglob("*"):
        if not path.is_file():
            continue
        parts = path.relative_to(root).as_posix().split(".p/")
        width = int(parts[1]) if len(parts) == 2 else 256
        if width > widest.get(parts[0], (0, None))[0]:
            widest[parts[0]] = (width, path)
    return [widest[place][1] for place in sorted(widest)]


def entries(bundle):
    data = bundle.read_bytes()
    while data:
        (length,) = struct.unpack_from(">H", data)
        yield data[2 : 2 + length]
        data = data[2 + length :]


def main(ledger, schemas):
    known = {}
    for path in schemas.glob("*.schema.json"):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        known[schema["$id"]] = jsonschema.Draft202012Validator(schema)
    count, seen = 0, set()
    for bundle in bundles(ledger):
        for envelope in entries(bundle):
            statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
            kind = statement["predicateType"]
            if kind not in known:
                sys.exit(f"FAILED: entry {count} has predicate type {kind}, which has no schema")
            for error in known[kind].iter_errors(statement["predicate"]):
                sys.exit(f"FAILED: entry {count} ({kind}) {error.json_path}: {error.message}")
            seen.add(kind)
            count += 1
    if not count:
        sys.exit("FAILED: there are no entries")
    print(f"{count} entries of {len(seen)} predicate types fit their schemas")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: check.py LEDGER_DIR SCHEMA_DIR")
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
