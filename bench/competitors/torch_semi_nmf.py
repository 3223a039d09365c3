"""The semi-NMF update of Shafran, Geiger & Geva (arXiv 2506.10920) in PyTorch on the CPU, without its
winner-take-all step: A [d x N] ~ F [d x K] G^T [K x N] with G >= 0."""

import numpy as np

from protocol import Stopwatch, serve


class TorchSemiNmf:
    name = "published semi-NMF update in PyTorch"

    def __init__(self):
        import torch

        torch.set_grad_enabled(False)
        self.torch = torch
        self.version = torch.__version__
        library = "MKL" if torch.backends.mkl.is_available() else "its own BLAS"
        level = torch.backends.cpu.get_cpu_capability()
        self.blas = f"{library}, {level}, {torch.get_num_threads()} threads"

    def load(self, X, rank, iterations):
        self.A = self.torch.from_numpy(np.load(X)).T.contiguous()
        self.rank = rank
        self.iterations = iterations

    def random_start(self):
        generator = self.torch.Generator().manual_seed(0)
        return self.torch.rand(self.A.shape[1], self.rank, generator=generator).clamp_min(1e-6)

    def update(self, G):
        torch = self.torch
        gram = G.T @ G + 1e-6 * torch.eye(self.rank)
        F = self.A @ G @ torch.linalg.inv(gram)
        norms = G.norm(dim=0).clamp_min(1e-8)
        G = G / norms
        F = F * norms
        P = self.A.T @ F
        Q = F.T @ F
        rising = P.clamp_min(0) + G @ (-Q).clamp_min(0)
        falling = (-P).clamp_min(0) + G @ Q.clamp_min(0)
        return F, G * torch.sqrt(rising / (falling + 1e-6))

    def run(self, with_loss=False):
        """`with_loss` also forms A - F G^T after each update, as the published code does."""
        with Stopwatch() as watch:
            G = self.random_start()
            for _ in range(self.iterations):
                F, G = self.update(G)
                if with_loss:
                    (self.A - F @ G.T).square().sum().item()
        self.F, self.G = F, G
        return {"seconds": watch.seconds}

    def factors(self, W, H):
        np.save(W, self.G.numpy())
        np.save(H, self.F.T.contiguous().numpy())


serve(TorchSemiNmf)
