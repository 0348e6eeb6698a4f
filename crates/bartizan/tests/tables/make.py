"""Makes the tables beside this file: python make.py, with pyarrow 26. The people in them are made up."""

import pathlib

import pyarrow
import pyarrow.feather
import pyarrow.parquet

here = pathlib.Path(__file__).parent
people = pyarrow.table({
    "id": pyarrow.array([1, 2, 3], pyarrow.int64()),
    "email": pyarrow.array(["anna@example.org", None, "bob@example.org"]),
    "card": pyarrow.array([4111111111111111, None, None], pyarrow.int64()),
    "home": pyarrow.array([{"phone": "+1 212-555-0123"}, {"phone": "none"}, None]),
    "hosts": pyarrow.array([["10.1.2.3", "db"], [], ["203.0.113.9"]]),
})
pyarrow.parquet.write_table(people, here / "people.parquet", row_group_size=2)
pyarrow.feather.write_feather(people, here / "people.arrow", compression="zstd")
