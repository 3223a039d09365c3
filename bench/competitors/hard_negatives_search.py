"""The search and the NV-Retriever rule of the package hard-negatives, over given embeddings, on the CPU.

Its own loop runs, with arrays in the place of its Parquet files. It is installed without its dependencies,
because flash-attn-3 has no build for the CPU and the search does not use it.
"""

from types import SimpleNamespace

import numpy as np

from protocol import Stopwatch, serve


def unit(rows):
    """Its embed stage stores unit rows."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Tables:
    """What the search reads and writes as Parquet."""

    def __init__(self, tables):
        self.tables = tables
        self.written = None

    def read_table(self, path, columns):
        name = "pairs" if path.endswith("pairs") else path
        return self.tables[name].select(columns)

    def write_table(self, table, _):
        self.written = table


class HardNegativesSearch:
    name = "hard-negatives search"

    def __init__(self):
        from importlib.metadata import version

        import pyarrow
        import torch
        from hard_negatives import mine_negatives

        self.module = mine_negatives
        self.pyarrow = pyarrow
        self.torch = torch
        self.version = version("hard-negatives")
        self.blas = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"

    def load(self, queries, corpus, pairs, num_negatives, relative_margin):
        """`pairs` [p x 2]: query row, corpus row of a positive. It knows rows by hashes of their texts."""
        queries, corpus = unit(np.load(queries)), unit(np.load(corpus))
        pairs = np.load(pairs).astype(np.int64)
        rest = np.setdiff1d(np.arange(len(corpus)), pairs[:, 1])
        tensor = self.torch.from_numpy
        # It has a row for each pair; a second file holds the documents that belong to no query.
        self.arrays = {
            "asked": {
                "query_embedding": tensor(queries[pairs[:, 0]]),
                "doc_embedding": tensor(corpus[pairs[:, 1]]),
                "query_hash": tensor(pairs[:, 0].copy()),
                "doc_hash": tensor(pairs[:, 1].copy()),
            },
            "rest": {"doc_embedding": tensor(corpus[rest]), "doc_hash": tensor(rest)},
        }
        named = {"query_hash": pairs[:, 0], "doc_hash": pairs[:, 1]}
        texts = {"query": pairs[:, 0].astype(str), "document": pairs[:, 1].astype(str)}
        table = self.pyarrow.table({**texts, **named})
        self.tables = Tables({"pairs": table, "asked": table})
        self.num_negatives, self.threshold = num_negatives, 1 - relative_margin
        self.module.pq = self.tables
        self.module.read = lambda file, columns: {name: self.arrays[file][name] for name in columns}
        self.module.parquet_files = lambda _: ["asked", "rest"]
        self.module.shard_files = lambda *_: ["asked"]
        self.module.os = SimpleNamespace(makedirs=lambda *_, **__: None, path=self.module.os.path)

    def run(self):
        # The defaults of its command line.
        depth = {"num_negatives": 100, "query_chunk_size": 1024, "doc_chunk_size": 1_000_000}
        columns = {"query_column": "query", "document_column": "document"}
        args = SimpleNamespace(save_path="", num_tasks=None, **depth, **columns)
        with Stopwatch() as watch:
            self.module.search_stage(args)
        return {"seconds": watch.seconds, "cpu": watch.cpu, "complete": self.complete()}

    def complete(self):
        """Pairs that its last stage keeps: those with enough scores below the threshold."""
        found = self.tables.written
        positive = found["positive_score"].to_numpy()
        rows = found["negative_scores"].combine_chunks()
        scores = rows.flatten().to_numpy().reshape(len(found), -1)
        kept = np.isfinite(scores) & (scores < self.threshold * positive[:, None])
        return int((kept.sum(axis=1) >= self.num_negatives).sum())


serve(HardNegativesSearch)
