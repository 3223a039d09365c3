"""scikit-learn's NMF from nndsvda: by coordinate descent, and of counts by multiplicative updates."""

import time
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

    def load(self, X, rank, iterations=200):
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

    def load_sparse(self, indptr, indices, values, rows, cols, rank):
        from scipy.sparse import csr_matrix

        arrays = (np.load(values), np.load(indices), np.load(indptr))
        self.X = csr_matrix(arrays, shape=(rows, cols))
        self.rank = rank

    def run_counts(self):
        """Default iterations and tolerance; the seconds are those of the CPU."""
        model = self.NMF(self.rank, solver="mu", beta_loss="kullback-leibler", random_state=0)
        started = time.process_time()
        self.W = model.fit_transform(self.X)
        seconds = time.process_time() - started
        self.H = model.components_
        return {"seconds": seconds, "iterations": int(model.n_iter_)}

    def run_defaults(self):
        return self.timed(self.NMF(self.rank, random_state=0))

    def run_with(self, solver, init):
        """Another solver and start, with the default iterations and tolerance."""
        return self.timed(self.NMF(self.rank, solver=solver, init=init, random_state=0))

    def timed(self, model):
        started = time.process_time()
        with Stopwatch() as watch:
            self.W = model.fit_transform(self.X)
        seconds = time.process_time() - started
        self.H = model.components_
        return {"wall": watch.seconds, "seconds": seconds, "iterations": int(model.n_iter_)} | self.loss()

    def loss_of(self, W, H):
        self.W, self.H = np.load(W), np.load(H)
        return self.loss()

    def loss(self):
        """The squared error over the squared norm of X, in float64."""
        X, W, H = self.X.astype(np.float64), self.W.astype(np.float64), self.H.astype(np.float64)
        if isinstance(X, np.ndarray):
            return {"loss": float(((X - W @ H) ** 2).sum() / (X**2).sum())}
        norm = float((X.data**2).sum())
        return {"loss": (norm - 2 * float(((X @ H.T) * W).sum()) + float(((W.T @ W) * (H @ H.T)).sum())) / norm}

    def factors(self, W, H):
        np.save(W, np.ascontiguousarray(self.W, dtype=np.float32))
        np.save(H, np.ascontiguousarray(self.H, dtype=np.float32))


serve(ScikitLearnNmf)
