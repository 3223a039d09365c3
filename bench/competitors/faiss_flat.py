"""faiss IndexFlatIP: exact search by inner product."""

import numpy as np

from protocol import Stopwatch, openblas_of, serve


class FaissFlat:
    name = "faiss-cpu IndexFlatIP"

    def __init__(self):
        import faiss

        self.faiss = faiss
        self.version = faiss.__version__
        self.blas = openblas_of("faiss")

    def load(self, queries, corpus, k):
        self.queries = np.load(queries)
        self.corpus = np.load(corpus)
        self.k = k
        self.index = self.faiss.IndexFlatIP(self.corpus.shape[1])
        self.index.add(self.corpus)

    def prepare(self):
        index = self.faiss.IndexFlatIP(self.corpus.shape[1])
        with Stopwatch() as watch:
            index.add(self.corpus)
        return {"seconds": watch.seconds}

    def run(self):
        with Stopwatch() as watch:
            _, self.rows = self.index.search(self.queries, self.k)
        return {"seconds": watch.seconds}

    def range(self, threshold):
        with Stopwatch() as watch:
            self.index.range_search(self.queries, threshold)
        return {"seconds": watch.seconds}

    def answer(self, rows):
        np.save(rows, self.rows.astype(np.float32))


serve(FaissFlat)
