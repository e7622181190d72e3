"""One measurement of one peer, in a process of its own: reads a job as JSON on stdin, prints the result as JSON.

The result has the form that clm_peer_driver prints (peer_driver.cc).
"""

import gc
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import encoders
import trainers
from vocabulary import PATTERNS

Result = dict[str, Any]


def peak_mib() -> float:
    """Peak resident memory; getrusage would count the process that started this one, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


def timed(call: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Wall and processor seconds of a call, and what it returned."""
    gc.collect()
    gc.disable()
    wall, cpu = time.perf_counter(), time.process_time()
    value = call()
    times = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    gc.enable()
    return times, value


def id_bytes(rows: Sequence[Sequence[int]]) -> bytes:
    """Count of documents, lengths and ids as little-endian u32."""
    import numpy

    lengths = numpy.array([len(row) for row in rows], dtype="<u4")
    parts = [numpy.asarray(row, dtype="<u4") for row in rows]
    return b"".join(part.tobytes() for part in [numpy.array([len(rows)], dtype="<u4"), lengths, *parts])


def measure_decode(codec: encoders.Codec, rows: Sequence[Any], documents: list[bytes]) -> dict[str, float]:
    """Time decoding every document by itself; RuntimeError unless the text comes back."""
    rows = [codec.row_for_decode(row) for row in rows]
    times, texts = timed(lambda: [codec.decode(row) for row in rows])
    back = [text.encode() if isinstance(text, str) else bytes(text) for text in texts]
    if back != documents:
        raise RuntimeError("decoded text differs")
    return times | {"bytes": sum(map(len, documents))}


def measure_encode(job: dict[str, Any]) -> Result:
    """Load a peer and run the passes of the job in order."""
    encoder = encoders.ENCODERS[job["peer"]]
    separator = bytes.fromhex(job["separator"])
    contents = {path: Path(path).read_bytes() for _, path in job["passes"]}
    split = {path: content.split(separator) for path, content in contents.items()}
    batches = {}
    for path, documents in split.items():
        texts = [] if encoder.reads_files else [document.decode() for document in documents]
        batches[path] = encoders.Batch(Path(path), b"" if encoder.reads_files else contents[path], texts)
    sizes = {path: sum(map(len, documents)) for path, documents in split.items()}
    first = split[job["passes"][0][1]] if job["decode"] else []
    del contents, split
    setup = encoders.Job(
        Path(job["ranks"]),
        Path(job["json"]),
        Path(job["folder"]),
        job["vocabulary"],
        PATTERNS[job["pattern"]],
        job["threads"],
        separator,
    )
    result: Result = {"base_mib": peak_mib(), "passes": {}}
    result["passes"]["load"], codec = timed(lambda: encoder.load(setup))
    for number, (name, path) in enumerate(job["passes"]):
        times, native = timed(lambda path=path: codec.encode(batches[path]))
        result["passes"][name] = times | {"bytes": sizes[path]}
        if number > 0:
            continue
        result["peak_mib"] = peak_mib()
        rows = codec.rows(native)
        ids = id_bytes(rows)
        result |= {"ids": len(ids) // 4 - 1 - len(rows), "digest": hashlib.sha256(ids).hexdigest()}
        if job["ids"]:
            Path(job["ids"]).write_bytes(ids)
        if job["decode"]:
            result["passes"]["decode"] = measure_decode(codec, rows, first)
    return result


def measure_train(job: dict[str, Any]) -> Result:
    """Train with one peer; the tokens it learnt go to the file that the job names."""
    trainer = trainers.TRAINERS[job["peer"]]
    path = Path(job["text"])
    documents = [] if trainer.reads_files else cut(path.read_bytes().decode())
    work = trainers.Job(path, Path(job["folder"]), documents, job["vocab_size"])
    base = peak_mib()
    times, tokens = timed(lambda: trainer.train(work))
    result: Result = {"base_mib": base, "peak_mib": peak_mib()}
    result["passes"] = {"train": times | {"bytes": path.stat().st_size}}
    Path(job["tokens"]).write_text(json.dumps([token.hex() for token in tokens()]), encoding="ascii")
    return result


def cut(text: str, size: int = 1 << 16) -> list[str]:
    """Documents: the text cut behind the first newline past every `size` characters."""
    documents = []
    start = 0
    while start < len(text):
        newline = text.find("\n", start + size)
        end = len(text) if newline < 0 else newline + 1
        documents.append(text[start:end])
        start = end
    return documents


def main() -> None:
    """Run one job. A peer that cannot take part says so in the result."""
    job = json.load(sys.stdin)
    try:
        result = (measure_encode if job["kind"] == "encode" else measure_train)(job)
    except encoders.Unfit as reason:
        result = {"unfit": str(reason)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
