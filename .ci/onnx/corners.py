#!/usr/bin/env python3
"""Makes models of one operator each, with the values at which implementations part, and ONNX Runtime's answers.

    corners.py FOLDER

Writes `NAME.onnx` and `NAME.cases.json` for every combination of operator, attribute and element type that ONNX
Runtime itself can run. `cargo run -p bartizan-model --example compare FOLDER` then compares. Where this project
decides differently on purpose is said in `docs/onnx.md`, and such a case is not made.
"""

import itertools
import json
import math
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

F32, F64, I64, I32, BOOL, TEXT = np.float32, np.float64, np.int64, np.int32, np.bool_, object
ONNX = {F32: 1, F64: 11, I64: 7, I32: 6, BOOL: 9, TEXT: 8}
NUMBER = {"float32": 1, "float64": 11, "int64": 7, "int32": 6, "bool": 9, "object": 8}
WORD = {"float32": "FP32", "float64": "FP64", "int64": "INT64", "int32": "INT32", "bool": "BOOL", "object": "BYTES"}
NAN, INF = math.nan, math.inf
KINDS = {"f32": F32, "f64": F64, "i64": I64, "i32": I32}

# Ordinary numbers, ties, both noughts, the smallest, the largest, halves, infinities and what is no number.
FINITE = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, 3.0, -7.25, 2.0**-100, 2.0**100, 20.0, -20.0, 88.0, -104.0]
ODD = FINITE + [NAN, INF, -INF]
WHOLE = [0, 1, -1, 2, -2, 3, 3, 7, -7, 100, 2**31 - 1, -(2**31)]


def values(kind, odd=True, columns=3):
    if kind in (F32, F64):
        flat = ODD if odd else [x for x in FINITE if abs(x) < 1e20]
    else:
        flat = WHOLE
    flat = list(flat) + list(flat[: -len(flat) % columns])
    return np.array(flat, dtype=kind).reshape(-1, columns)


def shown(array):
    def one(value):
        if array.dtype == object:
            return value if isinstance(value, str) else value.decode()
        if array.dtype == np.bool_:
            return bool(value)
        if array.dtype.kind == "i":
            return int(value)
        number = float(value)
        if math.isnan(number):
            return None
        return number if math.isfinite(number) else ("inf" if number > 0 else "-inf")

    return {
        "datatype": WORD[str(array.dtype)],
        "shape": list(array.shape),
        "data": [one(value) for value in array.reshape(-1)],
    }


class Maker:
    def __init__(self, folder):
        self.folder, self.made, self.left_out = folder, 0, []

    def case(self, name, operator, inputs, attributes=None, constants=(), outputs=1, plain=17, tables=3, fixed=False):
        """`inputs` are arrays by position; those whose place is in `constants` become part of the model."""
        attributes = {key: value for key, value in (attributes or {}).items() if value is not None}
        domain, _, kind = operator.rpartition(":")
        names = [f"I{place}" if array is not None else "" for place, array in enumerate(inputs)]
        out = [f"O{place}" for place in range(outputs)]
        node = helper.make_node(kind, names, out, domain=domain, **attributes)
        initializers, ports, feed = [], [], {}
        for place, array in enumerate(inputs):
            if array is None:
                continue
            if place in constants:
                initializers.append(numpy_helper.from_array(array, names[place]))
                continue
            shape = list(array.shape)
            if not fixed and shape:
                shape[0] = "N"
            ports.append(helper.make_tensor_value_info(names[place], NUMBER[str(array.dtype)], shape))
            feed[names[place]] = array
        if not ports:
            raise ValueError(name)
        graph = helper.make_graph([node], "g", ports, [onnx.ValueInfoProto(name=port) for port in out], initializers)
        sets = [helper.make_opsetid("", plain), helper.make_opsetid("ai.onnx.ml", tables)]
        model = helper.make_model(graph, opset_imports=sets, ir_version=8)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            bytes_ = model.SerializeToString()
            session = ort.InferenceSession(bytes_, options, providers=["CPUExecutionProvider"])
            answers = [np.asarray(answer) for answer in session.run(out, feed)]
        except Exception as error:
            self.left_out.append(f"{name}: {str(error).splitlines()[0][:160]}")
            return
        typed = onnx.ModelProto.FromString(bytes_)
        for port, answer in zip(typed.graph.output, answers):
            element = NUMBER[str(answer.dtype)]
            port.CopyFrom(helper.make_tensor_value_info(port.name, element, list(answer.shape)))
        (self.folder / f"{name}.onnx").write_bytes(typed.SerializeToString())
        record = {
            "inputs": {port: shown(array) for port, array in feed.items()},
            "outputs": {port: shown(answer) for port, answer in zip(out, answers)},
        }
        (self.folder / f"{name}.cases.json").write_text(json.dumps(record), encoding="utf-8")
        self.made += 1


def elementwise(make):
    for (word, kind), plain in itertools.product(KINDS.items(), (13, 21)):
        for name in "Abs Ceil Erf Exp Floor Log Neg Reciprocal Relu Sigmoid Sign Softplus Sqrt Tanh".split():
            make.case(f"{name}-{word}-{plain}", name, [values(kind)], plain=plain)
        for alpha in (None, 0.3, -2.0):
            make.case(f"LeakyRelu-{word}-{alpha}-{plain}", "LeakyRelu", [values(kind)], {"alpha": alpha}, plain=plain)
    for (word, kind), way in itertools.product(KINDS.items(), ("none", "tanh", None)):
        make.case(f"Gelu-{word}-{way}", "Gelu", [values(kind)], {"approximate": way}, plain=20)
    for word, kind in KINDS.items():
        make.case(f"IsNaN-{word}", "IsNaN", [values(kind)])
        make.case(f"Identity-{word}", "Identity", [values(kind)])
        for low, high in ((None, None), (-1, None), (None, 2), (-1, 2), (2, -1), (NAN, 2), (-1, NAN)):
            if kind in (I64, I32) and (low != low or high != high):
                continue
            bounds = [None if bound is None else np.array(bound, dtype=kind) for bound in (low, high)]
            make.case(f"Clip-{word}-{low}-{high}", "Clip", [values(kind), *bounds], constants=(1, 2))
    for low, high in ((None, None), (-1.0, None), (-1.0, 2.0), (2.0, -1.0)):
        make.case(f"Clip6-{low}-{high}", "Clip", [values(F32)], {"min": low, "max": high}, plain=10)
    flags = np.array([[True], [False]])
    make.case("Not", "Not", [flags])


def pairs(make):
    for word, kind in KINDS.items():
        column = values(kind).reshape(-1, 1)
        row = values(kind).reshape(1, -1)
        for name in "Add Sub Mul Div Pow Equal Greater GreaterOrEqual Less LessOrEqual Max Min Sum Mean".split():
            # Whole numbers divided by nought, or raised where they overflow, are undefined there.
            other = row
            if kind in (I64, I32) and name == "Div":
                other = row[row != 0].reshape(1, -1)
                column_ = column[column != -(2**31)].reshape(-1, 1)
            elif kind in (I64, I32) and name == "Pow":
                column_, other = np.array([[0], [1], [-1], [2], [-3], [5]], dtype=kind), np.array([[0, 1, 2, 3, 5]], dtype=kind)
            elif kind is I32 and name in ("Add", "Sub", "Mul"):
                column_ = column
            else:
                column_ = column
            make.case(f"{name}-{word}", name, [column_, other], constants=(1,))
        for name in "Max Min Sum Mean".split():
            make.case(f"{name}-{word}-1", name, [values(kind)])
            three = [values(kind), values(kind)[::-1].copy(), values(kind)[:1]]
            make.case(f"{name}-{word}-3", name, three, constants=(2,))
        make.case(f"Where-{word}", "Where", [np.array([[True, False, True]]), values(kind), values(kind)[:1]], constants=(0, 2))
    flags = [np.array([[True], [False]]), np.array([[True, False]])]
    for name in "And Or Xor Equal".split():
        make.case(f"{name}-bool", name, flags, constants=(1,))
    words = [np.array([["a"], ["A"], [""], ["\u00e4"]], dtype=object), np.array([["a", "", "b"]], dtype=object)]
    make.case("Equal-text", "Equal", words, constants=(1,), plain=19)


def casts(make):
    sources = {
        "f32": np.array([[0.0, -0.0, 1.5, -1.5, 2.5, 0.99999], [16777217.0, 1e-10, 123456.79, 3.4e38, NAN, 0.1]], dtype=F32),
        "f64": np.array([[0.0, -0.0, 1.5, -1.5, 2.5, 0.99999], [16777217.0, 1e-10, 123456.789, 1e300, NAN, 0.1]], dtype=F64),
        "i64": np.array([[0, 1, -1, 2**31, -(2**53) - 1, 7]], dtype=I64),
        "i32": np.array([[0, 1, -1, 2**31 - 1, -(2**31), 7]], dtype=I32),
        "bool": np.array([[True, False]]),
    }
    for (word, source), (to_word, to) in itertools.product(sources.items(), (KINDS | {"bool": BOOL, "text": TEXT}).items()):
        # Floats out of range of whole numbers are undefined there.
        if word in ("f32", "f64") and to in (I64, I32):
            source = np.where(np.isfinite(source) & (np.abs(source) < 2**30), source, 1.0).astype(source.dtype)
        if word == "i64" and to is I32:
            source = source[:, :3].copy()
        if word == "f64" and to_word == "f32":
            source = np.where(np.abs(source) > 1e200, INF, source)
        make.case(f"Cast-{word}-{to_word}", "Cast", [source], {"to": ONNX[to]})
    for to_word, to in KINDS.items():
        numbers = ["1", "-7", " 12", "+3", "007"] if to in (I64, I32) else ["1", "-7.5", "1e3", "0.1", "+2", "-0", "NaN", "INF", "-INF", "1e-40"]
        make.case(f"Cast-text-{to_word}", "Cast", [np.array([numbers], dtype=object)], {"to": ONNX[to]})


def shapes(make):
    cube = np.arange(24, dtype=F32).reshape(2, 3, 4)
    ints = lambda *list_: np.array(list_, dtype=I64)
    for target in ((-1,), (0, -1), (0, 0, -1), (2, 12), (-1, 4), (4, 3, 2), (2, 3, 4, 1), (0, 12), (-1, 0, 4)):
        name = "_".join(map(str, target))
        for zero in (None, 0, 1):
            make.case(f"Reshape-{name}-{zero}", "Reshape", [cube, ints(*target)], {"allowzero": zero}, constants=(1,), plain=14, fixed=True)
    for axis in range(-3, 4):
        make.case(f"Flatten-{axis}", "Flatten", [cube], {"axis": axis}, fixed=True)
    ones = np.arange(6, dtype=F32).reshape(1, 2, 1, 3)
    for axes in ((0,), (2,), (0, 2), (-2,), None):
        given = [ones] if axes is None else [ones, ints(*axes)]
        make.case(f"Squeeze-{axes}", "Squeeze", given, constants=(1,), fixed=True)
        make.case(f"Squeeze11-{axes}", "Squeeze", [ones], {"axes": axes}, plain=11, fixed=True)
    for axes in ((0,), (3,), (0, 4), (-1,), (-4, 1)):
        make.case(f"Unsqueeze-{axes}", "Unsqueeze", [cube, ints(*axes)], constants=(1,), fixed=True)
        make.case(f"Unsqueeze11-{axes}", "Unsqueeze", [cube], {"axes": axes}, plain=11, fixed=True)
    for perm in [None, *itertools.permutations(range(3))]:
        make.case(f"Transpose-{perm}", "Transpose", [cube], {"perm": perm}, fixed=True)
    for target in ((2, 3, 4), (1, 1, 1), (5, 2, 3, 4), (3, 1), (4,)):
        make.case(f"Expand-{target}", "Expand", [cube, ints(*target)], constants=(1,), fixed=True)
        make.case(f"Expand1-{target}", "Expand", [cube[:1, :, :1], ints(*target)], constants=(1,), fixed=True)
    for start, end in itertools.product((None, -5, -2, 0, 1, 7), repeat=2):
        make.case(f"Shape-{start}-{end}", "Shape", [cube], {"start": start, "end": end}, fixed=True)
    for axis in range(-3, 3):
        make.case(f"Concat-{axis}", "Concat", [cube, cube + 100], {"axis": axis}, fixed=True)
        for keep in (1,):
            parts = ints(1, cube.shape[axis] - 1)
            make.case(f"Split-{axis}", "Split", [cube, parts], {"axis": axis}, constants=(1,), outputs=2, fixed=True)
            make.case(f"Split18-{axis}", "Split", [cube], {"axis": axis, "num_outputs": 2}, outputs=2, plain=18, fixed=True)
            make.case(f"Split11-{axis}", "Split", [cube], {"axis": axis}, outputs=2, plain=11, fixed=True)
    edges = (-9, -3, -1, 0, 1, 2, 9, -(2**63), 2**63 - 1)
    for start, end, step in itertools.product(edges, edges, (1, 2, -1, -2, 9, -9, 2**62, -(2**62))):
        if (hash_(start, end, step)) % 3 == 0:
            line = np.arange(4, dtype=F32)
            make.case(f"Slice-{start}_{end}_{step}", "Slice", [line, ints(start), ints(end), ints(0), ints(step)], constants=(1, 2, 3, 4), fixed=True)
    make.case("Slice-plain", "Slice", [cube, ints(1, 0), ints(2, -1)], constants=(1, 2), fixed=True)
    make.case("Slice-axes", "Slice", [cube, ints(-2, 3), ints(9, 0), ints(-1, 1), ints(1, -1)], constants=(1, 2, 3, 4), fixed=True)
    for kind in (I64, I32):
        at = np.array([[0, -1], [1, -2]], dtype=kind)
        for axis in range(-3, 3):
            make.case(f"Gather-{kind.__name__}-{axis}", "Gather", [cube, at], {"axis": axis}, constants=(1,), fixed=True)
            make.case(f"Gather0-{kind.__name__}-{axis}", "Gather", [cube, np.array(-1, dtype=kind)], {"axis": axis}, constants=(1,), fixed=True)
            elements = np.array([[[0, -1], [1, 1]]], dtype=kind)
            make.case(f"GatherElements-{kind.__name__}-{axis}", "GatherElements", [cube, elements], {"axis": axis}, constants=(1,), fixed=True)


def hash_(*numbers):
    total = 17
    for number in numbers:
        total = (total * 31 + number % 1009) % 1_000_003
    return total


def along(make):
    ties = np.array([[1, 3, 3, 2], [0, 0, 0, 0], [-1, -5, 7, 7]])
    tables = {word: [("ties", ties.astype(kind))] for word, kind in KINDS.items()}
    # Other reductions of whole numbers are refused here.
    whole = ("Max", "Min", "Prod", "Sum")
    tables["f32"] += [("nan", np.array([[1, NAN, 3], [NAN, 2, NAN], [NAN, NAN, NAN]], dtype=F32)),
                      ("zeros", np.array([[0.0, -0.0], [-0.0, 0.0]], dtype=F32)),
                      ("inf", np.array([[INF, -INF, 1], [-INF, -INF, -INF], [INF, INF, 1]], dtype=F32)),
                      ("large", np.array([[3e38, 3e38, -3e38], [1e-40, 1e-40, 1], [100, -100, 99]], dtype=F32))]
    tables["f64"] += [("nan", np.array([[1, NAN, 3], [NAN, 2, NAN]])), ("large", np.array([[1e150, 1e150], [1e-300, 1.0]]))]
    for word, list_ in tables.items():
        for label, table in list_:
            odd = label in ("nan",)
            for axis, keep in itertools.product((0, 1, -1, -2), (0, 1)):
                for name in ("ArgMax", "ArgMin"):
                    for last in (0, 1):
                        if not odd:
                            make.case(f"{name}-{word}-{label}-{axis}-{keep}-{last}", name, [table], {"axis": axis, "keepdims": keep, "select_last_index": last})
                for name in "L1 L2 LogSumExp Max Mean Min Prod Sum SumSquare".split():
                    # It skips what is no number, or not, depending on where it stands; here it always stays.
                    if word in ("i64", "i32") and name not in whole or odd and name in ("Max", "Min"):
                        continue
                    if name == "Sum":
                        make.case(f"Reduce{name}-{word}-{label}-{axis}-{keep}", "ReduceSum", [table, np.array([axis])], {"keepdims": keep}, constants=(1,))
                    else:
                        make.case(f"Reduce{name}-{word}-{label}-{axis}-{keep}", f"Reduce{name}", [table], {"axes": [axis], "keepdims": keep})
                    make.case(f"Reduce{name}18-{word}-{label}-{axis}-{keep}", f"Reduce{name}", [table, np.array([axis])], {"keepdims": keep}, constants=(1,), plain=18)
            for name, noop in itertools.product("L1 L2 LogSumExp Max Mean Min Prod Sum SumSquare".split(), (0, 1)):
                if word in ("i64", "i32") and name not in whole or odd and name in ("Max", "Min"):
                    continue
                make.case(f"Reduce{name}-{word}-{label}-noop{noop}", f"Reduce{name}", [table], {"noop_with_empty_axes": noop}, plain=18)
                make.case(f"Reduce{name}-{word}-{label}-empty{noop}", f"Reduce{name}", [table, np.array([], dtype=I64)], {"noop_with_empty_axes": noop}, constants=(1,), plain=18)
            for axis, plain in itertools.product((None, 0, 1, -1), (11, 13)):
                make.case(f"Softmax-{word}-{label}-{axis}-{plain}", "Softmax", [table], {"axis": axis}, plain=plain)
            for axis, largest, k in itertools.product((0, 1, -1), (0, 1), (0, 1, 2)):
                if not odd:
                    make.case(f"TopK-{word}-{label}-{axis}-{largest}-{k}", "TopK", [table, np.array([k])], {"axis": axis, "largest": largest}, constants=(1,), outputs=2)
    cube = np.arange(24, dtype=F32).reshape(2, 3, 4) / 7
    for axis, plain in itertools.product((None, 0, 1, 2, -1, -3), (11, 13)):
        make.case(f"Softmax-cube-{axis}-{plain}", "Softmax", [cube], {"axis": axis}, plain=plain, fixed=True)
    for axes in ([0, 2], [1, -1], [0, 1, 2]):
        for keep in (0, 1):
            make.case(f"ReduceMean-cube-{axes}-{keep}", "ReduceMean", [cube], {"axes": axes, "keepdims": keep}, fixed=True)


def products(make):
    for word, kind in (("f32", F32), ("f64", F64)):
        a, b = np.arange(6, dtype=kind).reshape(2, 3) / 3, np.arange(12, dtype=kind).reshape(3, 4) - 5
        make.case(f"MatMul-{word}", "MatMul", [a, b], constants=(1,))
        make.case(f"MatMul-{word}-batch", "MatMul", [np.stack([a, a + 1])[:, None], np.stack([b, -b])], constants=(1,))
        odd = np.array([[0, INF, 1], [NAN, 0, 2]], dtype=kind)
        make.case(f"MatMul-{word}-odd", "MatMul", [odd, b], constants=(1,))
        for ta, tb, alpha, beta, add in itertools.product((0, 1), (0, 1), (None, 0.5), (None, 0.0, 2.0), (None, (), (1,), (4,), (2, 1), (1, 4), (2, 4))):
            c = None if add is None else (np.arange(math.prod(add), dtype=kind).reshape(add) + 0.25)
            left, right = (a.T.copy() if ta else a), (b.T.copy() if tb else b)
            attributes = {"transA": ta, "transB": tb, "alpha": alpha, "beta": beta}
            given = [left, right] + ([] if c is None else [c])
            make.case(f"Gemm-{word}-{ta}{tb}-{alpha}-{beta}-{add}", "Gemm", given, attributes, constants=(1, 2), fixed=True)
        nothing = np.full((2, 4), NAN, dtype=kind)
        make.case(f"Gemm-{word}-nan-0", "Gemm", [a, b, nothing], {"beta": 0.0}, constants=(1, 2), fixed=True)


def tables(make):
    def ml(name, operator, inputs, attributes=None, **more):
        make.case(f"{operator}-{name}", f"ai.onnx.ml:{operator}", inputs, attributes, **more)

    x = np.array([[1, NAN, 0], [NAN, -1, 5], [0.0, -0.0, INF], [1e20, -1e20, 3]], dtype=F32)
    whole = np.array([[1, -1, 0], [0, 5, 7]], dtype=I64)
    for missing, instead in itertools.product((0.0, NAN, -1.0, None), ([9.0], [7.0, 8.0, 9.0])):
        ml(f"{missing}-{len(instead)}", "Imputer", [x], {"imputed_value_floats": instead, "replaced_value_float": missing})
    for missing, instead in itertools.product((0, -1, None), ([9], [7, 8, 9])):
        ml(f"i-{missing}-{len(instead)}", "Imputer", [whole], {"imputed_value_int64s": instead, "replaced_value_int64": missing})
    for word, kind in KINDS.items():
        table = values(kind)
        for offset, scale in (([0.5], [2.0]), ([0.5, 1.0, -1.0], [2.0, 0.0, 1.0]), ([0.5], [1.0, 2.0, 3.0])):
            ml(f"{word}-{len(offset)}-{len(scale)}", "Scaler", [table], {"offset": offset, "scale": scale})
        for norm in ("MAX", "L1", "L2", None):
            # Sums that leave the type of the input are worked out in 64 bits here.
            numbers = values(kind, odd=False)
            ml(f"{word}-{norm}", "Normalizer", [numbers[np.abs(numbers.astype(F64)).max(axis=1) < 2**15]], {"norm": norm})
            ml(f"{word}-{norm}-zero", "Normalizer", [np.zeros((2, 3), dtype=kind)], {"norm": norm})
            ml(f"{word}-{norm}-negative", "Normalizer", [np.array([[-1, -2, -4]], dtype=kind)], {"norm": norm})
        for threshold in (None, 0.0, 0.5, NAN):
            ml(f"{word}-{threshold}", "Binarizer", [table], {"threshold": threshold})
        for zeros, cats in itertools.product((0, 1), ([1, 3, -1, 0], [3, 1, 2, 0, -7, 100])):
            numbers = np.array([[1, 3], [-1, 0]], dtype=kind) if zeros == 0 else values(kind, odd=False)
            ml(f"{word}-{zeros}-{len(cats)}", "OneHotEncoder", [numbers], {"cats_int64s": cats, "zeros": zeros})
        nothing = np.array([[0, 1], [3, 5]], dtype=kind)
        if kind in (F32, F64):
            nothing = np.array([[NAN, 1], [INF, 0.5], [-0.5, 1e30]], dtype=kind)
        ml(f"{word}-unknown", "OneHotEncoder", [nothing], {"cats_int64s": [0, 1, 2], "zeros": 1})
        ml(f"{word}-line", "OneHotEncoder", [np.array([1, 3, 1], dtype=kind)], {"cats_int64s": [1, 3]}, fixed=True)
        at = np.array([2, 0, 0], dtype=I64)
        ml(word, "ArrayFeatureExtractor", [table, at], constants=(1,))
        ml(f"{word}-line", "ArrayFeatureExtractor", [table[0], at], constants=(1,), fixed=True)
        ml(f"{word}-both", "FeatureVectorizer", [table, table[:, :1].copy()], {"inputdimensions": [3, 1]})
    words = np.array([["a", "b"], ["", "ä"], ["c", "a"]], dtype=object)
    ml("text", "OneHotEncoder", [words], {"cats_strings": ["b", "a", "ä"]})
    floats = np.array([[1.0, NAN], [0.0, -0.0], [2.5, 1.0]], dtype=F32)
    for version in (2, 4):
        ml(f"si-{version}", "LabelEncoder", [words], {"keys_strings": ["a", "b", "a"], "values_int64s": [4, 5, 6], "default_int64": 9}, tables=version)
        ml(f"sf-{version}", "LabelEncoder", [words], {"keys_strings": ["a", ""], "values_floats": [0.5, 1.5]}, tables=version)
        ml(f"ss-{version}", "LabelEncoder", [words], {"keys_strings": ["a", ""], "values_strings": ["x", "y"]}, tables=version)
        ml(f"is-{version}", "LabelEncoder", [whole], {"keys_int64s": [0, 5], "values_strings": ["x", "y"]}, tables=version)
        ml(f"ii-{version}", "LabelEncoder", [whole], {"keys_int64s": [0, 5, 0], "values_int64s": [1, 2, 3]}, tables=version)
        ml(f"if-{version}", "LabelEncoder", [whole], {"keys_int64s": [0, 5], "values_floats": [1.0, NAN]}, tables=version)
        for key in (0.0, -0.0, NAN):
            ml(f"ff-{key}-{version}", "LabelEncoder", [floats], {"keys_floats": [key, 1.0], "values_floats": [7.0, 8.0], "default_float": 9.0}, tables=version)
            ml(f"fs-{key}-{version}", "LabelEncoder", [floats], {"keys_floats": [key, 1.0], "values_strings": ["x", "y"]}, tables=version)
    ml("v1-s", "LabelEncoder", [words], {"classes_strings": ["a", "b", "a"], "default_int64": -5}, tables=1)
    ml("v1-i", "LabelEncoder", [whole], {"classes_strings": ["a", "b"], "default_string": "none"}, tables=1)
    both = {"cats_int64s": [0, 5, 7], "cats_strings": ["a", "b", "c"]}
    ml("s", "CategoryMapper", [words], both)
    ml("i", "CategoryMapper", [whole], both)
    ml("s-twice", "CategoryMapper", [words], {"cats_int64s": [0, 5, 7], "cats_strings": ["a", "b", "a"]})
    ml("i-twice", "CategoryMapper", [whole], {"cats_int64s": [0, 5, 0], "cats_strings": ["a", "b", "c"]})


def scores(make):
    x = np.array([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [-3.0, 1.0, 0.25], [NAN, 1.0, 1.0], [40.0, 40.0, -40.0], [1.0, 1.0, 1.0]], dtype=F32)
    finite = x[[0, 1, 2, 4, 5]].copy()
    transforms = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
    weights = {1: [1.0, -0.5, 0.25], 2: [1.0, -0.5, 0.25, -1.0, 0.5, -0.25], 3: [1.0, -0.5, 0.25, 0.0, 0.0, 0.0, -1.0, 0.5, 0.75]}
    for transform, (outputs, classes), labels in itertools.product(transforms, ((1, 2), (2, 2), (3, 3)), ("ints", "strings")):
        if transform == "PROBIT" and outputs == 1:
            continue
        names = {"classlabels_ints": [7, 3, 5][:classes]} if labels == "ints" else {"classlabels_strings": ["z", "a", "m"][:classes]}
        attributes = {"coefficients": weights[outputs], "intercepts": [0.1, 0.2, 0.3][:outputs], "post_transform": transform} | names
        for word, kind in KINDS.items():
            table = finite if kind in (I64, I32) else x
            # A score that is not a number has no order; the label of such a row is not compared.
            make.case(f"LinearClassifier-{transform}-{outputs}-{labels}-{word}", "ai.onnx.ml:LinearClassifier", [finite.astype(kind)], attributes, outputs=2)
    for transform, targets in itertools.product(transforms, (1, 2, 3)):
        for word, kind in KINDS.items():
            make.case(f"LinearRegressor-{transform}-{targets}-{word}", "ai.onnx.ml:LinearRegressor", [(x if kind in (F32, F64) else finite).astype(kind)],
                      {"coefficients": weights[targets], "intercepts": [0.1, 0.2, 0.3][:targets], "targets": targets, "post_transform": transform})
    trees(make, transforms)


def forest(modes, thresholds, missing, weights_of, kind, tables):
    """Two trees: one with three leaves that asks twice, one with two."""
    nodes = {"treeids": [0] * 5 + [1] * 3, "nodeids": [0, 1, 2, 3, 4, 0, 1, 2], "featureids": [0, 1, 0, 0, 0, 2, 0, 0],
             "truenodeids": [1, 2, 0, 0, 0, 1, 0, 0], "falsenodeids": [4, 3, 0, 0, 0, 2, 0, 0]}
    mode = [modes[0], modes[1], "LEAF", "LEAF", "LEAF", modes[2], "LEAF", "LEAF"]
    values_ = [thresholds[0], thresholds[1], 0.0, 0.0, 0.0, thresholds[2], 0.0, 0.0]
    attributes = {f"nodes_{key}": value for key, value in nodes.items()} | {"nodes_modes": mode}
    attributes["nodes_missing_value_tracks_true"] = [missing[0], missing[1], 0, 0, 0, missing[2], 0, 0]
    prefix, outputs = weights_of
    leaves = [(0, 2, 0.3), (0, 3, -0.2), (0, 4, 0.45), (1, 1, 0.1), (1, 2, -0.7)]
    ids, numbers = [], []
    for place, (tree, leaf, weight) in enumerate(leaves):
        ids.append((tree, leaf, outputs[place % len(outputs)]))
        numbers.append(weight)
    attributes |= {f"{prefix}_treeids": [i[0] for i in ids], f"{prefix}_nodeids": [i[1] for i in ids], f"{prefix}_ids": [i[2] for i in ids]}
    if kind is F64 and tables >= 3:
        attributes["nodes_values_as_tensor"] = numpy_helper.from_array(np.array(values_, dtype=F64))
        attributes[f"{prefix}_weights_as_tensor"] = numpy_helper.from_array(np.array(numbers, dtype=F64))
    else:
        attributes["nodes_values"] = values_
        attributes[f"{prefix}_weights"] = numbers
    return attributes


def trees(make, transforms):
    edge = 0.1
    rows = {
        "f32": np.array([[edge, edge, edge], [np.nextafter(F32(edge), F32(1)), 0, 0], [NAN, NAN, NAN], [0.0, -0.0, 0.0], [-0.0, 0.0, -0.0], [INF, -INF, 1], [1, NAN, -1], [0.1, 0.2, NAN]], dtype=F32),
        "f64": np.array([[edge, edge, edge], [0.1 + 1e-12, 0.1 - 1e-12, 0], [NAN, NAN, NAN], [0.0, -0.0, 0.0], [-0.0, 0.0, -0.0], [INF, -INF, 1], [1, NAN, -1], [0.1, 0.2, NAN]], dtype=F64),
        "i64": np.array([[0, 1, 2], [-1, 0, 1], [5, -5, 0]], dtype=I64),
        "i32": np.array([[0, 1, 2], [-1, 0, 1], [5, -5, 0]], dtype=I32),
    }
    modes = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
    for mode, missing, threshold, tables in itertools.product(modes, ((0, 0, 0), (1, 1, 1), (1, 0, 1)), (0.1, 0.0, -0.0, INF, -INF, NAN), (1, 3)):
        for word, kind in KINDS.items():
            attributes = forest([mode] * 3, [threshold] * 3, missing, ("target", [0]), kind, tables)
            make.case(f"TreeEnsembleRegressor-{mode}-{missing}-{threshold}-{word}-{tables}", "ai.onnx.ml:TreeEnsembleRegressor", [rows[word]], attributes | {"n_targets": 1}, tables=tables)
    mixed = ["BRANCH_LEQ", "BRANCH_GT", "BRANCH_EQ"]
    for way, base, targets, transform in itertools.product(("SUM", "AVERAGE", "MIN", "MAX", None), (False, True), (1, 3), transforms):
        for word in ("f32", "f64"):
            attributes = forest(mixed, [0.1, 0.0, 0.0], (0, 0, 0), ("target", list(range(targets))), KINDS[word], 3)
            attributes |= {"n_targets": targets, "aggregate_function": way, "post_transform": transform}
            if base:
                name = "base_values_as_tensor" if word == "f64" else "base_values"
                numbers = [0.5, -0.25, 0.125][:targets]
                attributes[name] = numpy_helper.from_array(np.array(numbers)) if word == "f64" else numbers
            make.case(f"TreeEnsembleRegressor-{way}-{base}-{targets}-{transform}-{word}", "ai.onnx.ml:TreeEnsembleRegressor", [rows[word]], attributes)
    for transform, base, classes, which, word in itertools.product(transforms, (0, 1, 2, 3), (2, 3), ([0], [1], [0, 1], [0, 2], [0, 1, 2]), ("f32", "f64")):
        if max(which) >= classes or base not in (0, 1, classes):
            continue
        # Memory that it does not set decides there.
        if transform == "PROBIT" and classes == 2 or base == 1 and len(which) > 1:
            continue
        # Two classes that both collect weights: its label is 0 or 1 whatever the labels are called.
        labels = [0, 1] if classes == 2 and len(which) == 2 else [7, 3, 5][:classes]
        attributes = forest(mixed, [0.1, 0.0, 0.0], (0, 0, 0), ("class", which), KINDS[word], 3)
        attributes |= {"classlabels_int64s": labels, "post_transform": transform}
        if base:
            name = "base_values_as_tensor" if word == "f64" else "base_values"
            numbers = [0.5, -0.25, 0.125][:base]
            attributes[name] = numpy_helper.from_array(np.array(numbers)) if word == "f64" else numbers
        make.case(f"TreeEnsembleClassifier-{transform}-{base}-{classes}-{''.join(map(str, which))}-{word}", "ai.onnx.ml:TreeEnsembleClassifier", [rows[word]], attributes, outputs=2)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    make = Maker(folder)
    for part in (elementwise, pairs, casts, shapes, along, products, tables, scores):
        part(make)
    print(f"{make.made} models made; ONNX Runtime {ort.__version__} does not run {len(make.left_out)} others")
    if "-v" in sys.argv:
        print("\n".join(make.left_out))


main()
