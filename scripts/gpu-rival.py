"""torch.matmul and torch.topk in bfloat16 on the sizes of cuda_scan_bench; one line of JSON for each."""

import json
import time

import torch

if not torch.cuda.is_available():
    print("skipped: no CUDA device for PyTorch")
    raise SystemExit

for queries, rows, d, k in ((8192, 1_000_000, 768, 100), (64, 1_000_000, 768, 10)):
    corpus = torch.nn.functional.normalize(torch.randn(rows, d, device="cuda")).bfloat16()
    asked = torch.nn.functional.normalize(torch.randn(queries, d, device="cuda")).bfloat16()
    best = float("inf")
    for _ in range(4):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for begin in range(0, queries, 1024):
            torch.topk(asked[begin : begin + 1024] @ corpus.T, k)
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    found = {"bench": "torch bf16 matmul + topk, not exact", "queries": queries, "rows": rows, "d": d, "k": k}
    print(json.dumps({**found, "scan": round(best, 4), "torch": torch.__version__}))
