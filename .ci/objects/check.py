"""Reads tables out of an S3 server (moto) with the binary, and compares with what it says of the same local files.

    check.py BINARY DIRECTORY    the directory is made anew
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import boto3
import pyarrow
import pyarrow.parquet
from moto.server import ThreadedMotoServer

BUCKET = "deliveries"


def run(binary, *arguments, place):
    ran = subprocess.run([binary, *arguments], cwd=place, capture_output=True, text=True, timeout=120)
    return ran.returncode, ran.stdout, ran.stderr


def main(binary, place):
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "a-key",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
    }
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    rows = 600_000
    table = pyarrow.table({
        "id": pyarrow.array(range(rows)),
        "amount": pyarrow.array([i * 7919 % 100_003 / 100 for i in range(rows)]),
        "country": pyarrow.array([("DE", "FR", None, "PT")[i % 4] for i in range(rows)]),
    })
    pyarrow.parquet.write_table(table, place / "big table.parquet", row_group_size=100_000)
    with open(place / "big.csv", "w") as out:
        out.write("id,amount,country\n")
        out.writelines(f"{i},{i * 7919 % 100_003 / 100},{('DE', 'FR', '', 'PT')[i % 4]}\n" for i in range(rows))
    for name in ("big table.parquet", "big.csv"):
        client.upload_file(str(place / name), BUCKET, f"2026/{name}")
        url = f"s3://{BUCKET}/2026/{name}".replace(" ", "%20")
        here = run(binary, "data", "profile", name, "--output", "json", place=place)
        there = run(binary, "data", "profile", url, "--output", "json", place=place)
        assert here[0] == there[0] == 0, (here, there)
        assert here[1].replace(name, "NAME") == there[1].replace(url, "NAME"), name
        print(f"the same profile of {name} ({(place / name).stat().st_size:,} bytes) here and in the bucket")

    # A column of addresses to find, and a label to judge rows by.
    people = pyarrow.table({
        "mail": pyarrow.array([f"user{i}@example.org" if i % 5 else "none" for i in range(4_000)]),
        "amount": pyarrow.array([float(i * 7919 % 1_009) for i in range(4_000)]),
        "label": pyarrow.array([int(i * 7919 % 1_009 > 700) for i in range(4_000)]),
    })
    pyarrow.parquet.write_table(people, place / "people.parquet", row_group_size=700)
    client.upload_file(str(place / "people.parquet"), BUCKET, "people.parquet")
    url = f"s3://{BUCKET}/people.parquet"
    scan = ("data", "pii", "scan", "--output", "json")
    here, there = (run(binary, *scan, name, place=place) for name in ("people.parquet", url))
    assert here[0] == there[0] == 1 and json.loads(there[1])["findings"] == {"email": 3_200}, (here, there)
    assert here[1] == there[1].replace(url, "people.parquet")
    judge = ("--label", "label", "--leave-out", "mail", "--output", "json")
    here, there = (run(binary, "data", "poison", name, *judge, place=place) for name in ("people.parquet", url))
    # The amount gives the label away.
    assert here[0] == there[0] == 1 and here[1] == there[1], (here, there)
    assert json.loads(here[1])["findings"][0]["rule"] == "leakage" and json.loads(here[1])["rows"] == 4_000, here
    print("personal data found, and labels judged, the same here and in the bucket")

    csv = f"s3://{BUCKET}/2026/big.csv"
    assert run(binary, "data", "schema", "infer", csv, "--out", "schema.toml", place=place)[0] == 0
    code, said, wrong = run(binary, "data", "check", csv, "--schema", "schema.toml", "--openlineage", "event.json", place=place)
    assert code == 0, (said, wrong)
    event = json.loads((place / "event.json").read_text())
    assert [(one["namespace"], one["name"]) for one in event["inputs"]] == [(f"s3://{BUCKET}", "2026/big.csv")]
    assert run(binary, "init", "--data-dir", "data", place=place)[0] == 0
    code, said, wrong = run(
        binary, "data", "add", "feed", csv, "--source", "a bucket", "--data-dir", "data", "--output", "json", place=place
    )
    assert code == 0 and json.loads(said)["version"] == "feed:1", (said, wrong)
    print("checked, and added to a data set")

    for url in (f"s3://{BUCKET}/nothing.csv", "s3://nobody/big.csv"):
        code, said, wrong = run(binary, "data", "profile", url, place=place)
        assert code != 0 and "BZ-0320" in wrong and not said, (url, said, wrong)
        assert "not-a-secret" not in wrong
    code, _, wrong = run(binary, "data", "profile", f"{endpoint}/x?X-Amz-Signature=abc", place=place)
    assert code != 0 and "abc" not in wrong, wrong
    print("what is not there is said to be so")
    server.stop()


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1]).absolute()), pathlib.Path(sys.argv[2]))
