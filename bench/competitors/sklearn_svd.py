"""scikit-learn's randomized_svd at its default options, which TruncatedSVD and PCA use."""

import numpy as np

from protocol import Stopwatch, openblas_of, serve


class ScikitLearnSvd:
    name = "scikit-learn randomized_svd"

    def __init__(self):
        import sklearn
        from sklearn.utils.extmath import randomized_svd

        self.version = sklearn.__version__
        self.blas = openblas_of("scipy")
        self.randomized_svd = randomized_svd

    def load(self, X, rank, indptr=None, indices=None, shape=None):
        self.X = np.load(X)
        self.rank = rank
        if indptr is not None:
            from scipy.sparse import csr_matrix

            parts = (self.X, np.load(indices), np.load(indptr))
            self.X = csr_matrix(parts, shape=tuple(shape))

    def run(self):
        with Stopwatch() as watch:
            _, self.s, _ = self.randomized_svd(self.X, self.rank, random_state=0)
        return {"seconds": watch.seconds, "cpu": watch.cpu, "s": self.s.tolist()}


serve(ScikitLearnSvd)
