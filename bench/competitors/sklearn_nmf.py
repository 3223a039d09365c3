"""scikit-learn's NMF by coordinate descent, from nndsvda."""

import warnings

import numpy as np

from protocol import Stopwatch, openblas_of, serve


class ScikitLearnNmf:
    name = "scikit-learn NMF"

    def __init__(self):
        import sklearn
        from sklearn.decomposition import NMF

        self.version = sklearn.__version__
        self.blas = openblas_of("numpy")
        self.NMF = NMF
        # All iterations are wanted, so the warning that they ran out says nothing.
        warnings.filterwarnings("ignore", category=sklearn.exceptions.ConvergenceWarning)

    def load(self, X, rank, iterations):
        self.X = np.load(X)
        self.rank = rank
        self.iterations = iterations

    def run(self):
        model = self.NMF(
            self.rank, init="nndsvda", solver="cd", tol=0, max_iter=self.iterations, random_state=0
        )
        with Stopwatch() as watch:
            self.W = model.fit_transform(self.X)
        self.H = model.components_
        return {"seconds": watch.seconds, "iterations": int(model.n_iter_)}

    def factors(self, W, H):
        np.save(W, np.ascontiguousarray(self.W, dtype=np.float32))
        np.save(H, np.ascontiguousarray(self.H, dtype=np.float32))


serve(ScikitLearnNmf)
