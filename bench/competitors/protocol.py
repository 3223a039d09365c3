"""What the rivals share: one JSON object a line on standard input, one on standard output.

The first line says who answers, or what is missing. After it, each request names a method of the rival
and its arguments; the answer is what the method returns, or the error.
"""

import json
import os
import sys
import time
import traceback


class Stopwatch:
    """Seconds spent inside a `with` block, and those of the CPU over all threads of the process."""

    def __enter__(self):
        self.cpu_started = time.process_time()
        self.started = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self.started
        self.cpu = time.process_time() - self.cpu_started


def openblas_of(package):
    """The OpenBLAS that a wheel brought along, as it sees this CPU."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "BLAS unknown: threadpoolctl is not installed"
    found = [
        f"OpenBLAS {pool['version']} {pool['architecture']}, {pool['num_threads']} threads"
        for pool in threadpool_info()
        if pool["internal_api"] == "openblas" and package in pool["filepath"]
    ]
    return "; ".join(found) or "BLAS unknown"


def serve(rival_class):
    """Answers requests until the input ends. Whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    try:
        rival = rival_class()
    except ImportError as error:
        answer({"missing": str(error)})
        return
    answer({"name": rival.name, "version": rival.version, "blas": rival.blas})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer(getattr(rival, request.pop("method"))(**request) or {})
        except Exception:
            answer({"error": traceback.format_exc()})
