"""Runs many jobs on all cores of this machine; knows processes, and nothing of what is simulated."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from hedgerow.sim.run import Job, Outcome, run


def sweep(jobs: Sequence[Job], done: Callable[[int], None] | None = None, workers: int | None = None) -> list[Outcome]:
    """The outcome of every job, in their order, whatever the number of workers. The first error ends it all."""
    workers = min(len(jobs), workers or os.cpu_count() or 1)
    if workers <= 1:
        found = []
        for job in jobs:
            found.append(run(job))
            if done is not None:
                done(len(found))
        return found
    with ProcessPoolExecutor(workers) as pool:
        futures = [pool.submit(run, job) for job in jobs]
        try:
            for count, future in enumerate(as_completed(futures), 1):
                future.result()
                if done is not None:
                    done(count)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]
