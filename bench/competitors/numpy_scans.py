"""Late interaction and sums of exponentials in NumPy: a matrix of scores, some rows of the corpus at a time."""

import numpy as np

from protocol import Stopwatch, openblas_of, serve


class NumpyScans:
    name = "NumPy, scores in chunks"

    def __init__(self):
        self.version = np.__version__
        self.blas = openblas_of("numpy")

    def load(self, queries, corpus, chunk):
        self.queries = np.load(queries)
        self.corpus = np.load(corpus)
        self.chunk = chunk

    def log_sum_exp(self, temperature):
        with Stopwatch() as watch:
            highest = np.full(len(self.queries), -np.inf, np.float32)
            sums = np.zeros(len(self.queries))
            for begin in range(0, len(self.corpus), self.chunk):
                scores = self.queries @ self.corpus[begin : begin + self.chunk].T
                scores /= temperature
                top = np.maximum(highest, scores.max(axis=1))
                scores -= top[:, None]
                sums = sums * np.exp(highest - top) + np.exp(scores, out=scores).sum(axis=1)
                highest = top
            self.values = highest + np.log(sums)
        return {"seconds": watch.seconds}

    def max_sim(self, query_tokens, document_tokens, k):
        """Every query has `query_tokens` rows, every document `document_tokens`."""
        with Stopwatch() as watch:
            parts = []
            step = max(1, self.chunk // document_tokens) * document_tokens
            for begin in range(0, len(self.corpus), step):
                scores = self.queries @ self.corpus[begin : begin + step].T
                best = scores.reshape(len(scores), -1, document_tokens).max(axis=2)
                parts.append(best.reshape(-1, query_tokens, best.shape[1]).sum(axis=1))
            scores = np.concatenate(parts, axis=1)
            found = np.argpartition(scores, -k, axis=1)[:, -k:]
            order = np.argsort(-np.take_along_axis(scores, found, axis=1), axis=1)
            self.rows = np.take_along_axis(found, order, axis=1)
        return {"seconds": watch.seconds}


serve(NumpyScans)
