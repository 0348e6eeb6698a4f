"""Trains the models of the comparison on a CSV file, and writes them for both servers: models.py --csv FILE --label COLUMN
[--label-above X] --out DIR. The two servers get the same fitted scikit-learn object: one as a joblib file, one as ONNX."""

import argparse
import csv
import json
import pathlib

import joblib
import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

# A column of numbers is one that holds numbers in this share of the rows; rows without one of these numbers are left out.
PRESENT = 0.9


def number(cell):
    try:
        return float(cell)
    except ValueError:
        return None


def table(path, label, above):
    """The columns of numbers, as float32, and the label as 0 or 1."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        head = file.readline()
        file.seek(0)
        rows = list(csv.DictReader(file, delimiter=";" if head.count(";") > head.count(",") else ","))
    numbers = {name: [number(row[name]) for row in rows] for name in rows[0] if name != label}
    enough = PRESENT * len(rows)
    names = [name for name, cells in numbers.items() if sum(cell is not None for cell in cells) >= enough]
    words = sorted({row[label] for row in rows})
    kept, labels = [], []
    for at, row in enumerate(rows):
        cells = [numbers[name][at] for name in names]
        value = number(row[label])
        known = row[label] != "" if above is None else value is not None
        if known and None not in cells:
            kept.append(cells)
            labels.append(int(value > above) if above is not None else words.index(row[label]))
    return names, np.array(kept, dtype=np.float32), np.array(labels)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--csv", required=True)
    arguments.add_argument("--label", required=True)
    arguments.add_argument("--label-above", type=float)
    arguments.add_argument("--out", required=True, type=pathlib.Path)
    given = arguments.parse_args()
    names, inputs, labels = table(given.csv, given.label, given.label_above)
    given.out.mkdir(parents=True, exist_ok=True)

    # What the models learn from, which Bartizan compares requests with.
    with open(given.out / "train.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "label"])
        writer.writerows([*(repr(float(cell)) for cell in row), label] for row, label in zip(inputs, labels))

    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        "forest": RandomForestClassifier(n_estimators=100, random_state=1),
    }
    asked = inputs[:64]
    for name, model in models.items():
        model.fit(inputs, labels)
        folder = given.out / name
        folder.mkdir(exist_ok=True)
        joblib.dump(model, folder / "model.joblib")
        (folder / "model-settings.json").write_text(json.dumps({
            "name": name,
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": "./model.joblib"},
        }))
        # One input for each column, so that requests can be compared with the columns of the training data.
        columns = [(column, FloatTensorType([None, 1])) for column in names]
        # A forest takes one input, so something before it joins the columns and changes nothing.
        joined = model if name == "logistic" else make_pipeline(FunctionTransformer(), model)
        converted = convert_sklearn(
            joined, initial_types=columns, options={"zipmap": False}, target_opset=17)
        onnx = given.out / "onnx" / name
        onnx.mkdir(parents=True, exist_ok=True)
        (onnx / "model.onnx").write_bytes(converted.SerializeToString())
        expected = model.predict_proba(asked)
        requests = [{
            "matrix": {
                "inputs": [{"name": "input-0", "shape": [1, len(names)], "datatype": "FP32", "data": row}],
                "outputs": [{"name": "predict_proba"}],
            },
            "columns": {
                "inputs": [{"name": column, "shape": [1, 1], "datatype": "FP32", "data": [cell]}
                           for column, cell in zip(names, row)],
                "outputs": [{"name": "probabilities"}],
            },
            "expected": list(map(float, proba)),
        } for row, proba in zip(asked.tolist(), expected)]
        (given.out / f"{name}.requests.json").write_text(json.dumps(requests))
    print(f"{len(labels)} rows of {len(names)} numbers, {labels.mean():.0%} of them labelled 1")


if __name__ == "__main__":
    main()
