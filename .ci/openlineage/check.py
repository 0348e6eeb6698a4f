"""Reads an event that we wrote with openlineage-python, and writes one with it that we read.

check.py parse EVENT...   every line is a run event whose facets openlineage-python's own classes take, unknown members refused
check.py write FILE       three events of openlineage-python, one for each kind
"""

import importlib
import json
import sys
import uuid

import attr
from openlineage.client import event_v2, facet_v2, serde
from openlineage.client.generated.base import DatasetEvent, JobEvent, StaticDataset

FACETS = {
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
    "dataQualityMetrics": importlib.import_module(
        "openlineage.client.generated.data_quality_metrics_input_dataset"
    ).DataQualityMetricsInputDatasetFacet,
    "dataQualityAssertions": importlib.import_module(
        "openlineage.client.generated.data_quality_assertions_dataset"
    ).DataQualityAssertionsDatasetFacet,
    "errorMessage": importlib.import_module(
        "openlineage.client.generated.error_message_run"
    ).ErrorMessageRunFacet,
    "outputStatistics": importlib.import_module(
        "openlineage.client.generated.output_statistics_output_dataset"
    ).OutputStatisticsOutputDatasetFacet,
}


def facet(name, members):
    kind = FACETS[name]
    members = dict(members)
    producer, schema = members.pop("_producer"), members.pop("_schemaURL")
    made = kind(**members)
    expected = made._get_schema()
    assert schema == expected, f"{name}: {schema} is not {expected}"
    assert producer.startswith("https://"), producer
    known = {field.name for field in attr.fields(kind)}
    assert set(members) <= known, f"{name}: {set(members) - known}"
    return made


def quality(facets, state, failed):
    """Both facets of data quality are there, of known members, and say the same as the event."""
    assertions = facets["dataQualityAssertions"]["assertions"]
    module = importlib.import_module("openlineage.client.generated.data_quality_assertions_dataset")
    for assertion in assertions:
        module.Assertion(**assertion)
    accepted = [one for one in assertions if one["assertion"] == "accepted"]
    assert len(accepted) == 1 and accepted[0]["success"] == (state == "COMPLETE"), (state, accepted)
    if failed:
        # What was not read to its end has no counts.
        assert state == "FAIL" and "dataQualityMetrics" not in facets, facets
        return
    metrics = facets["dataQualityMetrics"]
    module = importlib.import_module("openlineage.client.generated.data_quality_metrics_input_dataset")
    for column in metrics["columnMetrics"].values():
        counted = module.ColumnMetrics(**column)
        assert counted.count + counted.nullCount == metrics["rowCount"], column


def parse(path):
    for line in open(path, encoding="utf-8"):
        event = json.loads(line)
        for dataset in event["inputs"] + event["outputs"]:
            for group in ("facets", "inputFacets", "outputFacets"):
                for name, members in dataset.get(group, {}).items():
                    facet(name, members)
        failed = event["run"].get("facets", {})
        for name, members in failed.items():
            facet(name, members)
        for dataset in event["inputs"]:
            quality(dataset["inputFacets"], event["eventType"], failed)
        run = event_v2.Run(runId=event["run"]["runId"])
        job = event_v2.Job(namespace=event["job"]["namespace"], name=event["job"]["name"])
        again = event_v2.RunEvent(
            eventTime=event["eventTime"],
            eventType=event_v2.RunState[event["eventType"]],
            producer=event["producer"],
            run=run,
            job=job,
            inputs=[event_v2.InputDataset(namespace=d["namespace"], name=d["name"]) for d in event["inputs"]],
            outputs=[event_v2.OutputDataset(namespace=d["namespace"], name=d["name"]) for d in event["outputs"]],
        )
        written = json.loads(serde.Serde.to_json(again))
        assert written["schemaURL"] == event["schemaURL"], written["schemaURL"]
        for member in ("eventTime", "eventType", "producer"):
            assert written[member] == event[member], member
        assert written["run"]["runId"] == event["run"]["runId"], written["run"]
        assert written["job"]["name"] == event["job"]["name"], written["job"]
    print(f"openlineage-python takes {path}")


def write(path):
    producer = "https://example.com/pipeline"
    table = facet_v2.schema_dataset.SchemaDatasetFacet(
        fields=[facet_v2.schema_dataset.SchemaDatasetFacetFields(name="a", type="integer")]
    )
    run = event_v2.RunEvent(
        eventTime="2026-03-01T12:00:00Z",
        eventType=event_v2.RunState.COMPLETE,
        producer=producer,
        run=event_v2.Run(runId=str(uuid.uuid4())),
        job=event_v2.Job(namespace="etl", name="load"),
        inputs=[event_v2.InputDataset(namespace="s3://lake", name="raw", facets={"schema": table})],
        outputs=[event_v2.OutputDataset(namespace="s3://lake", name="clean", facets={"schema": table})],
    )
    job = JobEvent(
        eventTime="2026-03-01T12:00:00Z", producer=producer, job=event_v2.Job(namespace="etl", name="nightly"),
        inputs=[event_v2.InputDataset(namespace="s3://lake", name="clean")], outputs=[],
    )
    dataset = DatasetEvent(
        eventTime="2026-03-01T12:00:00Z", producer=producer,
        dataset=StaticDataset(namespace="s3://lake", name="raw", facets={"schema": table}),
    )
    with open(path, "w", encoding="utf-8") as out:
        for event in (run, job, dataset):
            out.write(serde.Serde.to_json(event) + "\n")


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    for path in rest:
        {"parse": parse, "write": write}[verb](path)
