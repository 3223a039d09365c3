"""Prints the samples of test/data/parquet-samples.ts. Needs pyarrow and NumPy."""

import base64
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

rows = [[1.5, -2, 0.25], [3, 4, -0.0], [65504, 6e-8, 7]]
halves = [[np.float16(number) for number in row] for row in rows]
tops = 2**62 + 1


def encoded(columns, **options):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **options)
    return base64.b64encode(file.getvalue()).decode()


def lists(values, type=pa.float32(), size=-1):
    return {"e": pa.array(values, pa.list_(type, size))}


def passages(*pairs):
    return [[{"docid": docid, "title": "", "text": text} for docid, text in pairs]]


plain = {"compression": "none"}
samples = {
    "float32": encoded({"id": ["a", "b", "c"], **lists(rows, size=3)}),
    "float16": encoded(lists(halves, pa.float16(), 3), compression="gzip"),
    "float64": encoded(
        lists(rows, pa.float64()), use_dictionary=False, data_page_version="2.0", compression="brotli"
    ),
    "split": encoded(
        lists(rows), use_dictionary=False, use_byte_stream_split=True, row_group_size=2, **plain
    ),
    "nullList": encoded(lists([[1.0, 2.0], None]), **plain),
    "nullNumber": encoded(lists([[1.0, 2.0], [3.0, None]]), **plain),
    "ragged": encoded(lists([[1.0, 2.0], [3.0]]), **plain),
    "delta": encoded(
        lists([[1, 2], [3, 4]], pa.int32()),
        use_dictionary=False,
        column_encoding={"e.list.element": "DELTA_BINARY_PACKED"},
    ),
    "lz4": encoded(lists([[1, 2], [3, 4]], pa.int32()), compression="lz4"),
    "corpus": encoded(
        {
            "_id": pa.array([tops, 5, -7], pa.int64()),
            "title": ["T", "", None],
            "text": ["one", "two é", "three"],
            "when": pa.array([1, 2, 3], pa.timestamp("ms")),
        }
    ),
    "qrels": encoded(
        {
            "query-id": ["q1", "q1", "q2"],
            "corpus-id": pa.array([tops, 5, -7], pa.int64()),
            "score": [1, 0, 2],
        }
    ),
    "nullId": encoded({"id": pa.array(["a", None])}),
    "twice": encoded({"id": ["a", "b", "a"]}),
    "tevatron": encoded(
        {
            "query_id": ["q1"],
            "query": ["?"],
            "positive_passages": passages(("5", "two é")),
            "negative_passages": passages(("-7", "three"), ("-7", "three")),
        }
    ),
}
for name, text in samples.items():
    print(f"  {name}:\n    '{text}',")
