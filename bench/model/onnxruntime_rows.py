"""Rows per second of ONNX Runtime on one thread: onnxruntime_rows.py FOLDER NAME..."""

import json
import sys
import time

import numpy
import onnxruntime

ROUNDS, ROUND = 5, 0.4
TYPES = {"FP32": numpy.float32, "FP64": numpy.float64, "INT64": numpy.int64, "INT32": numpy.int32, "BYTES": object}

folder, *names = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
for name in names:
    session = onnxruntime.InferenceSession(f"{folder}/{name}.onnx", options, providers=["CPUExecutionProvider"])
    cases = json.load(open(f"{folder}/{name}.cases.json"))
    for rows in (1, 256):
        feed = {}
        for key, tensor in cases["inputs"].items():
            data = [float("nan") if value is None else value for value in tensor["data"]]
            values = numpy.array(data, dtype=TYPES[tensor["datatype"]]).reshape(tensor["shape"])
            feed[key] = numpy.ascontiguousarray(numpy.resize(values, [rows, *values.shape[1:]]))
        # Numbers are bound once, so that the binding's copies are not in the time. It cannot do that for texts.
        texts = any(value.dtype == object for value in feed.values())
        inputs = feed if texts else {key: onnxruntime.OrtValue.ortvalue_from_numpy(value) for key, value in feed.items()}
        run = session.run if texts else session.run_with_ort_values
        outputs = [output.name for output in session.get_outputs()]
        best = 0.0
        for _ in range(ROUNDS):
            start, calls = time.perf_counter(), 0
            while time.perf_counter() - start < ROUND:
                run(outputs, inputs)
                calls += 1
            best = max(best, calls * rows / (time.perf_counter() - start))
        print(f"onnxruntime {onnxruntime.__version__} {name} batch {rows}: {best:.0f} rows/s")
