"""Ways to learn from a table that may be larger than memory: `python -m gourmetgram.training.large.ways WAY`.

Each runs as a process of its own, so that its memory is its own, and says how it gets on as JSON objects, one a line:
`{"rows": n}` for rows that it has gone through, and at the end `{"result": …}`.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any, Final

import pyarrow as pa

from gourmetgram.core.features import FEATURES
from gourmetgram.core.memory import peak
from gourmetgram.lakehouse.tables import LARGE_TRAINING_DATA
from gourmetgram.training.fit import Rows, fit, survey
from gourmetgram.training.large.options import Options, parser
from gourmetgram.training.reader import LABEL, Batch, Reader, to_batch
from gourmetgram.training.settings import TrainingSettings
from gourmetgram.training.source import Source

Result = dict[str, Any]


def whole(source: Source, _: Options) -> Result:
    """All of it into a pandas data frame first, as one does with small data, and then a logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    frame = source.table.scan(snapshot_id=source.snapshot_id).to_pandas()
    say(rows=len(frame))
    scaled = StandardScaler().fit_transform(frame[list(FEATURES)])
    classifier = LogisticRegression(max_iter=200).fit(scaled, frame[LABEL])
    return {"rows": len(frame), "coefficients": classifier.coef_[0].tolist()}


def stream(source: Source, said: Options) -> Result:
    """Our reader: one row group after the other, of which one batch at a time becomes a matrix."""
    paths = [said.file] if said.file else source.paths()
    reader = Reader(paths, source.storage, said.batch_rows, prefetch=said.prefetch)
    if said.columns:
        return read(reader.columns((*FEATURES, LABEL)[: said.columns]))
    return learn(reader.batches, said)


def library(source: Source, said: Options) -> Result:
    """The reader that comes with PyIceberg, which promises batches as well."""

    def batches() -> Iterator[Batch]:
        scan = source.table.scan(snapshot_id=source.snapshot_id)
        with closing(scan.to_arrow_batch_reader()) as reader:
            yield from map(to_batch, reader)

    return learn(batches, said)


WAYS: Final[dict[str, Callable[[Source, Options], Result]]] = {"whole": whole, "stream": stream, "library": library}


def learn(batches: Callable[[], Iterator[Batch]], said: Options) -> Result:
    """Mean and deviation of each feature in a first pass, the classifier in a second; or only read, once."""
    if said.only_read:
        return read(batches())

    def go_through() -> Iterator[Rows]:
        for batch in batches():
            yield Rows(batch.features, batch.labels)
            say(rows=len(batch.labels))

    began = time.perf_counter()
    first = survey(go_through)
    surveyed = time.perf_counter()
    classifier = fit(go_through, first, passes=1, seed=said.seed)
    return {
        "rows": first.negatives + first.positives,
        "survey_seconds": surveyed - began,
        "fit_seconds": time.perf_counter() - surveyed,
        "coefficients": classifier.coef_[0].tolist(),
    }


def read(batches: Iterable[Batch | pa.RecordBatch]) -> Result:
    """Only read."""
    began, rows = time.perf_counter(), 0
    for batch in batches:
        count = len(batch.labels) if isinstance(batch, Batch) else len(batch)
        rows += count
        say(rows=count)
    return {"rows": rows, "read_seconds": time.perf_counter() - began}


def say(**what: object) -> None:
    """A line for whoever watches."""
    print(json.dumps(what), flush=True)


def _end_with(parent: int) -> None:
    """Whoever watches over our memory is gone, so nobody would stop us any more."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def main() -> None:
    """Go one way, and say what came of it."""
    said = parser("ways").parse_args(namespace=Options())
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    source = Source.of(TrainingSettings(), None, LARGE_TRAINING_DATA)
    say(ready=peak())
    results = [WAYS[said.way](source, said) for _ in range(said.repeat)]
    quickest = {name: min(one[name] for one in results) for name in results[0] if name.endswith("_seconds")}
    say(result=results[-1] | quickest | {"peak_bytes": peak()})


if __name__ == "__main__":
    main()
