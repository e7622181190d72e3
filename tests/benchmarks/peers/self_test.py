#!/usr/bin/env python3
"""Checks the scripts beside it without any peer: self_test.py DRIVER TEXT.

The driver learns a small vocabulary from the text; the scripts then write that vocabulary in the forms that peers read,
and the driver encodes with it in every way that compare.py asks for.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from vocabulary import PATTERNS, rank_file, read_ranks, tokenizer_json

HERE = Path(__file__).resolve().parent


def compare(*arguments: str) -> str:
    """Run compare.py and return what it prints."""
    command = [sys.executable, "-B", str(HERE / "compare.py"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Run every part of compare.py once, on this project only."""
    driver, text = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learnt = folder / "learnt.json"
        subprocess.run([driver, "train", "--text", text, "--vocab-size", "300", "--out", str(learnt)], check=True)
        ranks = read_ranks(learnt)
        assert len(ranks) == 300, len(ranks)
        for file, content in (
            (folder / "again.tiktoken", rank_file(ranks)),
            (folder / "again.json", tokenizer_json(ranks, PATTERNS["gpt2"], True).encode()),
        ):
            file.write_bytes(content)
            assert read_ranks(file) == ranks, file
        common = ["--driver", driver, "--rounds", "1", "--corpus", text]
        table = compare("encode", *common, "--tokenizer", str(learnt), "--document-bytes", "500", "--only", "clm", "clm, files", "clm, no cache")
        for row in ("| clm | 1 |", "| clm, files | 2 |", "| clm, no cache | 2 |"):
            assert row in table, table
        assert table.count("| yes |") == 6, table
        table = compare("train", *common, "--vocab-size", "300", "--threads", "1", "--only", "clm")
        assert "300 of 300" in table, table


if __name__ == "__main__":
    main()
