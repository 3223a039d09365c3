"""Kmeans and SuperKmeans of faiss on all rows, from random ones."""

import numpy as np

from protocol import Stopwatch, openblas_of, serve


class FaissKmeans:
    name = "faiss-cpu"

    def __init__(self):
        import faiss

        self.kinds = {"Kmeans": faiss.Kmeans}
        if hasattr(faiss, "SuperKmeans"):  # since 1.15
            self.kinds["SuperKmeans"] = faiss.SuperKmeans
        self.version = faiss.__version__
        self.blas = openblas_of("faiss")

    def load(self, X, clusters):
        self.X = np.load(X)
        self.clusters = clusters
        return {"kinds": list(self.kinds)}

    def run(self, kind, iterations):
        # By default faiss takes 256 rows for each centre and leaves the others out.
        job = self.kinds[kind](
            self.X.shape[1],
            self.clusters,
            niter=iterations,
            max_points_per_centroid=len(self.X),
            min_points_per_centroid=1,
            seed=1,
        )
        with Stopwatch() as watch:
            job.train(self.X)
        # That of the last assignment, to the centres before the last step.
        return {"seconds": watch.seconds, "cpu": watch.cpu, "inertia": float(job.obj[-1])}


serve(FaissKmeans)
