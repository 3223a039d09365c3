"""faiss.Kmeans on all rows, from random ones."""

import numpy as np

from protocol import Stopwatch, openblas_of, serve


class FaissKmeans:
    name = "faiss-cpu Kmeans"

    def __init__(self):
        import faiss

        self.faiss = faiss
        self.version = faiss.__version__
        self.blas = openblas_of("faiss")

    def load(self, X, clusters):
        self.X = np.load(X)
        self.clusters = clusters

    def run(self, iterations):
        # By default faiss takes 256 rows for each centre and leaves the others out.
        job = self.faiss.Kmeans(
            self.X.shape[1],
            self.clusters,
            niter=iterations,
            max_points_per_centroid=len(self.X),
            min_points_per_centroid=1,
            seed=1,
        )
        with Stopwatch() as watch:
            job.train(self.X)
        return {"seconds": watch.seconds}


serve(FaissKmeans)
