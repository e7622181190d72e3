"""Runs clm_peer_driver and the peers in turn, every measurement in a process of its own, and prints Markdown tables.

encode   passes: cold = all documents, first call of the process; steady = the odd documents after the even ones; warm =
         the odd ones once more; decode = the ids of the cold pass, one thread. A first round compares the ids of all
         programs; in every further one each program runs once, so that what disturbs the machine disturbs them all.
hostile  pieces without a split point: MB/s, and the time for twice the size.
train    the same text, vocabulary size and pattern; with and without a piece of 250 KB that has no split point.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from encoders import ENCODERS
from tables import Row, markdown, number, ratio_table, scaling_lines, speed_table
from trainers import TRAINERS
from vocabulary import PATTERNS, rank_file, read_ranks, tokenizer_json

HERE = Path(__file__).resolve().parent
SEPARATOR = b"\x1e<next document>\x1e\n"
OURS = ["clm", "clm, files", "clm, no cache"]
RANK_FILES = {"cl100k_base": "cl100k", "o200k_base": "o200k"}
HOSTILE_BYTES = {"[": 100_000, "a": 1_000_000, "letters": 1_000_000, "no space": 10_000_000}


def processors(threads: int) -> list[int]:
    """The last so many processors that this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-threads:]


def run_child(command: list[str], threads: int, stdin: str = "", limit_seconds: float = 900) -> dict[str, Any]:
    """Run one measurement on its own processors; {"error": why} when it fails or takes too long."""
    environment = os.environ | {
        "RAYON_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    pinned = ["taskset", "-c", ",".join(map(str, processors(threads))), *command]
    try:
        done = subprocess.run(
            pinned, input=stdin, env=environment, capture_output=True, text=True, check=False, timeout=limit_seconds
        )
    except subprocess.TimeoutExpired:
        return {"error": f"over {limit_seconds:.0f} s", "slow": True}
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return {"error": lines[-1][:300]}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"error": result["unfit"]} if "unfit" in result else result


def count_text(result: dict[str, Any]) -> dict[str, Any]:
    """Let the base contain the text of the first pass also where the program reads it while the clock runs."""
    if "error" not in result:
        first = next(times for name, times in result["passes"].items() if name != "load")
        result["base_mib"] += first["bytes"] / (1 << 20)
    return result


class EncodeRuns:
    """Encoding: the files that all programs take, and one run of one of them."""

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        self.folder = folder
        self.driver = str(args.driver)
        self.limit_seconds = args.limit_seconds
        self.pattern = args.pattern
        ranks = read_ranks(args.tokenizer)
        self.vocabulary = args.tokenizer.name.split(".")[0]
        (folder / "vocabulary.tiktoken").write_bytes(rank_file(ranks))
        for name, with_boundary in (("peers.json", False), ("clm.json", True)):
            text = tokenizer_json(ranks, PATTERNS[args.pattern], with_boundary)
            (folder / name).write_text(text, encoding="utf-8")

    def run(self, row: Row, passes: list[tuple[str, Path]], decode: bool, ids: str = "") -> dict[str, Any]:
        """Time the passes in one process."""
        result = self.measure(row, passes, decode, ids)
        return count_text(result) if "files" in row.name else result

    def own_vocabulary(self) -> list[str]:
        """The vocabulary as the driver takes it: the rank file where it is a published one, else tokenizer.json."""
        if self.vocabulary in RANK_FILES and self.pattern == RANK_FILES[self.vocabulary]:
            return ["--tokenizer", str(self.folder / "vocabulary.tiktoken"), "--encoding", self.vocabulary]
        return ["--tokenizer", str(self.folder / "clm.json")]

    def measure(self, row: Row, passes: list[tuple[str, Path]], decode: bool, ids: str) -> dict[str, Any]:
        """What the process prints."""
        if row.ours:
            command = [self.driver, "encode", *self.own_vocabulary()]
            command += ["--separator", SEPARATOR.hex(), "--threads", str(row.threads)]
            for name, path in passes:
                command += ["--pass", f"{name}={path}"]
            command += ["--decode"] if decode else []
            command += ["--ids", ids] if ids else []
            command += ["--no-cache"] if "no cache" in row.name else []
            command += ["--time-reading"] if "files" in row.name else []
            return run_child(command, row.threads, "", self.limit_seconds)
        job = {
            "kind": "encode",
            "peer": row.name,
            "threads": row.threads,
            "passes": [[name, str(path)] for name, path in passes],
            "decode": decode,
            "ids": ids,
            "ranks": str(self.folder / "vocabulary.tiktoken"),
            "json": str(self.folder / "peers.json"),
            "folder": str(self.folder),
            "vocabulary": self.vocabulary,
            "pattern": self.pattern,
            "separator": SEPARATOR.hex(),
        }
        return run_child([sys.executable, str(HERE / "child.py")], row.threads, json.dumps(job), self.limit_seconds)


def cut(text: bytes, size: int) -> list[bytes]:
    """Documents: the text cut behind the first newline past every `size` bytes; 0 for one document."""
    documents = []
    start = 0
    while start < len(text):
        newline = text.find(b"\n", start + size) if size else -1
        end = len(text) if newline < 0 else newline + 1
        documents.append(text[start:end])
        start = end
    return documents


def first_difference(one: Path, other: Path) -> str:
    """Where two files of ids differ first."""
    import numpy

    (a, b) = (numpy.fromfile(path, dtype="<u4") for path in (one, other))
    if a[0] != b[0]:
        return f"{b[0]} documents instead of {a[0]}"
    count = int(a[0])
    starts = [numpy.concatenate([[0], numpy.cumsum(ids[1 : count + 1], dtype=numpy.int64)]) + count + 1 for ids in (a, b)]
    for n in range(count):
        x, y = a[starts[0][n] : starts[0][n + 1]], b[starts[1][n] : starts[1][n + 1]]
        if not numpy.array_equal(x, y):
            at = next((i for i, (u, v) in enumerate(zip(x, y, strict=False)) if u != v), min(len(x), len(y)))
            return f"document {n}, id {at}: {y[at : at + 4].tolist()} instead of {x[at : at + 4].tolist()}"
    return "none"


def make_rows(names: list[str], threads: list[int]) -> list[Row]:
    """Every program with every number of threads."""
    return [Row(name, count) for name in names for count in threads]


def drop(rows: list[Row], row: Row, reason: str) -> None:
    """Leave a program out, and say why."""
    print(f"left out: {row.name}, {row.threads} threads: {reason}", file=sys.stderr)
    rows.remove(row)


def check_ids(runs: EncodeRuns, rows: list[Row], all_documents: Path, reference: str) -> dict[int, float]:
    """The first round: compare the ids of all programs. Returns how long each took."""
    seconds = {}
    digests: dict[str, str] = {}
    files = {}
    for row in list(rows):
        file = runs.folder / f"{len(files)}.ids"
        start = time.monotonic()
        result = runs.run(row, [("cold", all_documents)], row.threads == 1, str(file))
        seconds[id(row)] = time.monotonic() - start
        if "error" in result:
            drop(rows, row, result["error"])
            continue
        files[id(row)] = (row, file, result["digest"])
        digests.setdefault(row.name, result["digest"])
        row.runs.append(result)
    wanted = digests.get(reference) or next(iter(digests.values()))
    base = next(file for _, file, digest in files.values() if digest == wanted)
    for row, file, digest in files.values():
        row.note = "yes" if digest == wanted else "**no**"
        if digest != wanted:
            print(f"{row.name}, {row.threads} threads: {first_difference(base, file)}", file=sys.stderr)
    return seconds


def encode(args: argparse.Namespace, folder: Path) -> list[Row]:
    """Measure all encoders and print the tables."""
    runs = EncodeRuns(folder, args)
    documents = cut(args.corpus.read_bytes()[: args.corpus_bytes or None], args.document_bytes)
    files = {"all": documents, "even": documents[0::2], "odd": documents[1::2]}
    paths = {name: folder / f"{name}.bin" for name in files}
    for name, part in files.items():
        paths[name].write_bytes(SEPARATOR.join(part))
    rows = make_rows([name for name in [*OURS, *ENCODERS] if not args.only or name in args.only], args.threads)
    seconds = check_ids(runs, rows, paths["all"], "tiktoken")
    for row in rows:
        if seconds[id(row)] < args.slow_seconds:
            row.runs.clear()
    for turn in range(args.rounds):
        for row in list(rows[turn % len(rows) :] + rows[: turn % len(rows)]):
            if turn > 0 and seconds[id(row)] >= args.slow_seconds:
                continue
            parts = [] if seconds[id(row)] >= args.slow_seconds else [[("cold", paths["all"])]]
            parts.append([("first half", paths["even"]), ("steady", paths["odd"]), ("warm", paths["odd"])])
            for passes in parts:
                result = runs.run(row, passes, row.threads == 1 and passes[0][0] == "cold")
                if "error" in result:
                    drop(rows, row, result["error"])
                    break
                if passes[0][0] != "cold":
                    del result["peak_mib"]
                row.runs.append(result)
    passes = ["cold", "steady", "warm", "decode"]
    ids = next(run["ids"] for row in rows for run in row.runs)
    size = sum(map(len, documents))
    print(f"\n{size:,} bytes, {len(documents)} documents, {ids:,} ids, {runs.vocabulary}, pattern {args.pattern}\n")
    print(speed_table(rows, passes, args.clock), "\n")
    for ours in OURS:
        if any(row.name == ours for row in rows):
            print(ratio_table(rows, passes, ours, args.clock), "\n")
    print("\n".join(scaling_lines(rows, passes)))
    return rows


def hostile_text(name: str, size: int) -> bytes:
    """One document that is hard to cut."""
    rng = random.Random(7)
    if name == "letters":
        return bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=size))
    if name == "no space":
        words = [bytes(rng.choices(b"etaoinshrdlu", k=rng.randint(1, 9))) for _ in range(5000)]
        return b"".join(rng.choices(words, k=size // 2))[:size]
    return name.encode() * size


def hostile(args: argparse.Namespace, folder: Path) -> list[Row]:
    """Measure single hostile pieces and print a table of MB/s and of the time for twice the size."""
    runs = EncodeRuns(folder, args)
    warm_up = folder / "warm-up.bin"
    warm_up.write_bytes(b"A few words, so that nothing is loaded for the first time below.\n" * 100)
    passes = {}
    for name, size in HOSTILE_BYTES.items():
        paths = [folder / f"{name}.{scale}.bin" for scale in (1, 2)]
        for scale, path in zip((1, 2), paths, strict=True):
            path.write_bytes(hostile_text(name, size * scale))
        passes[name] = [("warm-up", warm_up), (name, paths[0]), (f"2x {name}", paths[1])]
    names = ["clm", "clm, no cache", *[name for name, peer in ENCODERS.items() if not peer.reads_files]]
    rows = make_rows([name for name in names if not args.only or name in args.only], [1])
    errors: dict[tuple[str, str], str] = {}
    for _ in range(args.rounds):
        for row in rows:
            for name in HOSTILE_BYTES:
                if (row.name, name) in errors:
                    continue
                result = runs.run(row, passes[name], False)
                if "error" in result:
                    errors[row.name, name] = result["error"]
                else:
                    row.runs.append(result)
    print(hostile_table(rows, errors, args.clock))
    return rows


def hostile_table(rows: list[Row], errors: dict[tuple[str, str], str], clock: str) -> str:
    """Median MB/s of each piece, and how the time grows; without the peers that cannot take part."""

    def cell(row: Row, name: str) -> str:
        if (row.name, name) in errors:
            return errors[row.name, name]
        growth = min(row.times(f"2x {name}", clock)) / max(min(row.times(name, clock)), 1e-9)
        return f"{number(row.speed(name, clock))} ({growth:.2f}x)"

    unfit = {row.name for row in rows if not row.runs and not any("over" in errors[row.name, name] for name in HOSTILE_BYTES)}
    for name in unfit:
        print(f"left out: {name}: {errors[name, next(iter(HOSTILE_BYTES))]}", file=sys.stderr)
    header = ["MB/s (time for twice the size)", *[f"{size:,} of {name}" for name, size in HOSTILE_BYTES.items()]]
    body = [[row.name, *[cell(row, name) for name in HOSTILE_BYTES]] for row in rows if row.name not in unfit]
    return markdown(header, body)


def run_trainer(row: Row, text: Path, args: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """One training run, and the tokens that it learnt, in hex digits."""
    out = folder / "learnt.json"
    out.unlink(missing_ok=True)
    if row.ours:
        command = [str(args.driver), "train", "--text", str(text), "--vocab-size", str(args.vocab_size)]
        result = count_text(run_child([*command, "--out", str(out), "--threads", str(row.threads)], row.threads))
        return result, [] if "error" in result else [token.hex() for token in read_ranks(out)]
    job = {"kind": "train", "peer": row.name, "text": str(text), "vocab_size": args.vocab_size}
    job |= {"folder": str(folder), "tokens": str(out)}
    result = run_child([sys.executable, str(HERE / "child.py")], row.threads, json.dumps(job))
    if TRAINERS[row.name].reads_files:
        count_text(result)
    return result, [] if "error" in result else json.loads(out.read_text(encoding="ascii"))


def train(args: argparse.Namespace, folder: Path) -> list[Row]:
    """Measure all trainers, on the text and on the text with a long piece, and print a table."""
    data = args.corpus.read_bytes()[: args.corpus_bytes or None]
    rng = random.Random(7)
    piece = bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=250_000))
    texts = {"train": folder / "plain.txt", "with piece": folder / "piece.txt"}
    texts["train"].write_bytes(data)
    texts["with piece"].write_bytes(data + b"\n" + piece + b"\n")
    rows = make_rows([name for name in ["clm", *TRAINERS] if not args.only or name in args.only], args.threads)
    learnt: dict[str, set[str]] = {}
    slow: set[tuple[int, str]] = set()
    for turn in range(args.rounds):
        for row in list(rows):
            for name, text in texts.items():
                if (id(row), name) in slow:
                    continue
                result, tokens = run_trainer(row, text, args, folder)
                if "error" in result:
                    drop(rows, row, result["error"])
                    break
                if result["passes"]["train"]["wall"] > args.slow_seconds:
                    slow.add((id(row), name))
                if name == "train":
                    learnt.setdefault(row.name, set(tokens))
                else:
                    result["passes"] = {name: result["passes"]["train"]}
                    del result["peak_mib"], result["base_mib"]
                row.runs.append(result)
    reference = learnt.get("gigatoken", next(iter(learnt.values())))
    for row in rows:
        row.note = f"{len(reference & learnt[row.name]):,} of {len(learnt[row.name]):,}"
    print(f"{len(data):,} bytes, {args.vocab_size:,} entries\n")
    print(speed_table(rows, list(texts), args.clock).replace("same ids", "entries shared with gigatoken"), "\n")
    print(ratio_table(rows, list(texts), "clm", args.clock), "\n")
    print("\n".join(scaling_lines(rows, list(texts))))
    return rows


def print_machine(names: list[str]) -> None:
    """What was measured where."""
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    commit = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    print(f"{model.split(':')[1].strip()}, {os.cpu_count()} processors, {time.strftime('%Y-%m-%d %H:%M')}")
    print(f"clm {commit.stdout.strip()}; {', '.join(versions)}")


def main() -> None:
    """Parse the command line and measure."""
    root = HERE.parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["encode", "hostile", "train"])
    parser.add_argument("--corpus", type=Path, help="UTF-8 text (encode, train)")
    parser.add_argument("--corpus-bytes", type=int, default=0, help="take only so many bytes of it")
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json or rank file, .gz or not (encode, hostile)")
    parser.add_argument("--pattern", choices=PATTERNS, default="gpt2")
    parser.add_argument("--vocab-size", type=int, default=32000)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--document-bytes", type=int, default=1 << 16, help="0: one document")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-seconds", type=float, default=20, help="what takes longer is measured once")
    parser.add_argument("--limit-seconds", type=float, default=900, help="what takes longer is stopped")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of " + ", ".join([*OURS, *ENCODERS]))
    parser.add_argument(
        "--clock",
        choices=["wall", "cpu"],
        default="wall",
        help="cpu: rows with one thread count processor seconds, for a machine that others use, too",
    )
    parser.add_argument("--driver", type=Path, default=root / "build" / "release" / "bin" / "clm_peer_driver")
    parser.add_argument("--json", type=Path, help="file for every single figure")
    args = parser.parse_args()
    needed = {"encode": ["corpus", "tokenizer"], "hostile": ["tokenizer"], "train": ["corpus"]}[args.what]
    missing = [f"--{name}" for name in needed if getattr(args, name) is None]
    if missing:
        parser.error(f"{args.what} needs {' and '.join(missing)}")
    if not args.driver.exists():
        parser.error(f"{args.driver} is not there: build clm_peer_driver with -DCLM_BUILD_BENCHMARKS=ON")
    with tempfile.TemporaryDirectory(prefix="clm-peers-") as folder:
        rows = {"encode": encode, "hostile": hostile, "train": train}[args.what](args, Path(folder))
    print_machine(sorted({peer.package for peer in [*ENCODERS.values(), *TRAINERS.values()]}))
    if args.json:
        figures = [{"name": row.name, "threads": row.threads, "note": row.note, "runs": row.runs} for row in rows]
        args.json.write_text(json.dumps(figures, indent=1), encoding="ascii")


if __name__ == "__main__":
    main()
