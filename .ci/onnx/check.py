#!/usr/bin/env python3
"""Checks an ONNX file that `bartizan train` wrote with tools that are not ours.

    check.py MODEL FOLDER

The `onnx` checker must accept MODEL (with shape inference), and ONNX Runtime must load it and answer rows of
ordinary, missing, extreme and unknown values with probabilities and matching labels. Its answers go to FOLDER, for
`cargo run -p bartizan-model --example compare FOLDER`. Exits with 1 when anything does not hold.
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime

NUMBERS = [0.0, 1.0, -1.0, float("nan"), 1e9, -1e9, 12.5, 3.0]
TEXTS = ["", "nobody knows this", "DE", "restaurant", "acquirer-a", "Private", "CASH", "1"]
DATATYPES = {"float32": "FP32", "int64": "INT64", "object": "BYTES"}


def fail(text):
    sys.exit(f"check.py: {text}")


def shown(array):
    data = [None if value != value else value for value in array.reshape(-1).tolist()]
    return {"datatype": DATATYPES[str(array.dtype)], "shape": list(array.shape), "data": data}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    path, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    label, probabilities = (value.name for value in session.get_outputs())
    feed = {}
    for turn, port in enumerate(session.get_inputs()):
        kinds = {"tensor(float)": (NUMBERS, numpy.float32), "tensor(string)": (TEXTS, object)}
        trial, kind = kinds[port.type]
        # Each column in another order, so that values meet.
        feed[port.name] = numpy.array([trial[(row + turn) % len(trial)] for row in range(len(trial))], dtype=kind).reshape(-1, 1)
    labels, chances = session.run([label, probabilities], feed)
    if not numpy.all((chances >= 0) & (chances <= 1)) or not numpy.allclose(chances.sum(axis=1), 1, atol=1e-5):
        fail(f"these are no probabilities: {chances}")
    if len(set(labels.reshape(-1)[chances.argmax(axis=1) == 1])) > 1:
        fail(f"labels {labels} do not go with the probabilities {chances}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trained.onnx").write_bytes(pathlib.Path(path).read_bytes())
    cases = {
        "inputs": {name: shown(column) for name, column in feed.items()},
        "outputs": {label: shown(labels), probabilities: shown(chances)},
    }
    (folder / "trained.cases.json").write_text(json.dumps(cases), encoding="utf-8")
    print(f"ONNX Runtime {onnxruntime.__version__} accepts {path}: {len(feed)} inputs, {len(labels)} rows answered")


main()
