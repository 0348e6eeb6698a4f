#!/usr/bin/env python3
"""Checks an ONNX file that the demo wrote with tools that are not ours.

    check.py MODEL [CASES]

The `onnx` checker must accept MODEL (with shape inference), and ONNX Runtime must load it and answer rows of
ordinary, missing and extreme values with probabilities and matching labels. CASES is a JSON file
`{"inputs": {name: [number or null]}, "outputs": {name: [number]}}`; ONNX Runtime's answers must agree with its
outputs to 1e-5. Exits with 1 when anything does not hold.
"""

import json
import math
import sys

import numpy
import onnx
import onnxruntime


def fail(text):
    sys.exit(f"check.py: {text}")


def column(values):
    return numpy.array([[math.nan if value is None else value] for value in values], dtype=numpy.float32)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    path = sys.argv[1]
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = [value.name for value in session.get_inputs()]
    label, probability = (value.name for value in session.get_outputs())

    trial = [0.0, 1.0, -1.0, None, 1e9, -1e9]
    answers = session.run([label, probability], {name: column(trial) for name in inputs})
    for shown, chance in zip(answers[0][:, 0], answers[1][:, 0]):
        if not (0.0 <= chance <= 1.0) or shown != (chance > 0.5):
            fail(f"label {shown} with probability {chance}")

    compared = 0
    if len(sys.argv) == 3:
        with open(sys.argv[2], encoding="utf-8") as file:
            cases = json.load(file)
        if sorted(cases["inputs"]) != sorted(inputs) or sorted(cases["outputs"]) != sorted([label, probability]):
            fail("the cases have other inputs or outputs than the model")
        feed = {name: column(values) for name, values in cases["inputs"].items()}
        for name, expected in cases["outputs"].items():
            actual = session.run([name], feed)[0][:, 0]
            if len(actual) != len(expected):
                fail(f"{len(actual)} answers for {len(expected)} cases")
            for index, (ours, theirs) in enumerate(zip(expected, actual)):
                if abs(ours - theirs) > 1e-5:
                    fail(f"case {index}: {name} is {theirs}, and {ours} is expected")
                compared += 1
    print(
        f"ONNX Runtime {onnxruntime.__version__} accepts {path}: {len(inputs)} inputs, "
        f"{len(trial)} rows answered, {compared} answers as expected"
    )


main()
