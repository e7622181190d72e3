#!/usr/bin/env python3
"""Sizes and speeds of this project's built-in codecs beside published compressors, on the same files.

    tests/benchmarks/peers/compressors.py --driver build/release/bin/clm_adaptive_benchmark FILE...

Peers that are not installed are left out and named on stderr (Debian: gzip bzip2 xz-utils zstd brotli bzip3 7zip zpaq).
One thread each, the file as one block where a peer has blocks; every decompression is compared with the file. Speeds of peers
include the start of a process: below a megabyte they say little.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# name, program, command to pack and to unpack; {in}, {packed}, {out} are paths. A command without {packed} or {out} writes to
# its standard output.
PEERS = [
    ("gzip -9", "gzip", ["gzip", "-9nc", "{in}"], ["gzip", "-dc", "{packed}"]),
    ("bzip2 -9", "bzip2", ["bzip2", "-9c", "{in}"], ["bzip2", "-dc", "{packed}"]),
    ("xz -9e", "xz", ["xz", "-9ec", "{in}"], ["xz", "-dc", "{packed}"]),
    ("zstd -22", "zstd", ["zstd", "-q", "--ultra", "-22", "-c", "{in}"], ["zstd", "-qdc", "{packed}"]),
    ("brotli 11", "brotli", ["brotli", "-q", "11", "-w", "24", "-c", "{in}"], ["brotli", "-dc", "{packed}"]),
    ("bzip3", "bzip3", ["bzip3", "-e", "-b", "{mebibytes}", "-c", "{in}"], ["bzip3", "-dc", "{packed}"]),
    ("PPMd o32", "7zz", ["7zz", "a", "-bso0", "-bsp0", "-t7z", "-m0=PPMd:o=32:mem=1g", "{packed}", "{in}"],
     ["7zz", "e", "-bso0", "-bsp0", "-so", "{packed}"]),
    ("PPMd o6", "7zz", ["7zz", "a", "-bso0", "-bsp0", "-t7z", "-m0=PPMd:o=6:mem=1g", "{packed}", "{in}"],
     ["7zz", "e", "-bso0", "-bsp0", "-so", "{packed}"]),
    ("zpaq -m5", "zpaq", ["zpaq", "add", "{packed}", "{in}", "-method", "5", "-threads", "1"],
     ["zpaq", "extract", "{packed}", "{in}", "-to", "{out}", "-threads", "1"]),
]
SUFFIX = {"7zz": ".7z", "zpaq": ".zpaq"}


def run(command: list[str], names: dict[str, str], target: Path) -> float:
    """Run one command; return its seconds. What it prints goes to `target` unless the command names that file itself."""
    filled = [part.format(**names) for part in command]
    named = str(target) in filled
    begin = time.monotonic()
    with open(os.devnull if named else target, "wb") as out:
        subprocess.run(filled, check=True, stdout=out, stderr=subprocess.DEVNULL)
    return time.monotonic() - begin


def measure_peer(peer: tuple, file: Path, folder: Path) -> tuple[int, float, float]:
    """Return size and seconds of packing and unpacking."""
    _, program, pack, unpack = peer
    packed, out = folder / ("packed" + SUFFIX.get(program, "")), folder / "out"
    packed.unlink(missing_ok=True)
    out.unlink(missing_ok=True)
    mebibytes = str(max(1, -(-file.stat().st_size // (1 << 20))))
    names = {"in": str(file), "packed": str(packed), "out": str(out), "mebibytes": mebibytes}
    packing = run(pack, names, packed)
    unpacking = run(unpack, names, out)
    if out.read_bytes() != file.read_bytes():
        raise ValueError(f"{peer[0]} does not restore {file}")
    return packed.stat().st_size, packing, unpacking


def measure_ours(driver: str, file: Path) -> dict[str, tuple[int, float, float]]:
    """Return size and seconds of encoding and decoding, by codec, on one thread."""
    command = [driver, "--benchmark_filter=threads:1/", "--benchmark_format=json", "--benchmark_min_time=0"]
    environment = {**os.environ, "CLM_BENCHMARK_FILES": str(file)}
    report = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    times = {tuple(entry["name"].split("/")[:2]): entry for entry in report["benchmarks"]}
    codecs = sorted({codec for _, codec in times})
    return {
        "clm " + codec: (
            int(times["encode", codec]["bytes_out"]),
            times["encode", codec]["real_time"] / 1e3,
            times["decode", codec]["real_time"] / 1e3,
        )
        for codec in codecs
    }


def main() -> None:
    """Print one table for each file, smallest first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--driver", required=True, help="clm_adaptive_benchmark of a build with CLM_BUILD_BENCHMARKS=ON")
    parser.add_argument("files", nargs="+", type=Path)
    arguments = parser.parse_args()
    for program in sorted({peer[1] for peer in PEERS}):
        if shutil.which(program) is None:
            print(f"{program} is not installed and is left out", file=sys.stderr)
    for file in arguments.files:
        size = file.stat().st_size
        rows = measure_ours(arguments.driver, file.resolve())
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "in"
            shutil.copyfile(file, copy)
            for peer in PEERS:
                if shutil.which(peer[1]) is not None:
                    rows[peer[0]] = measure_peer(peer, copy, Path(folder))
        print(f"\n{file}: {size} bytes\n\n| | bytes | bits/byte | pack MB/s | unpack MB/s |\n| --- | ---: | ---: | ---: | ---: |")
        for name, (packed, packing, unpacking) in sorted(rows.items(), key=lambda row: row[1][0]):
            rates = " | ".join(f"{size / max(seconds, 1e-9) / 1e6:.2f}" for seconds in (packing, unpacking))
            print(f"| {name} | {packed} | {8 * packed / max(size, 1):.3f} | {rates} |")


if __name__ == "__main__":
    main()
