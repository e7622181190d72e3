"""The encoders that are compared: how each is loaded, and the fastest call of each that returns the ids of all documents.

An encoder is a function from a Job to a Codec. It raises Unfit when it cannot take part.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocabulary import Pattern, read_ranks


class Unfit(Exception):
    """This peer cannot load this vocabulary or pattern."""


@dataclass(frozen=True)
class Job:
    """What an encoder is loaded from."""

    ranks_path: Path  # rank file
    json_path: Path  # tokenizer.json without special tokens
    folder: Path  # its own, for what it has to write
    vocabulary: str  # name of the published vocabulary, "" for another
    pattern: Pattern
    threads: int
    separator: bytes


@dataclass(frozen=True)
class Batch:
    """Documents in the forms that calls take; `text` and `documents` are empty for peers that read the file."""

    path: Path
    text: bytes
    documents: list[str]


@dataclass(frozen=True)
class Codec:
    """A loaded peer. What `encode` returns holds all ids; `rows` makes one sequence per document of it, untimed."""

    encode: Callable[[Batch], Any]
    rows: Callable[[Any], Sequence[Sequence[int]]]
    decode: Callable[[Any], str | bytes]  # one row
    row_for_decode: Callable[[Any], Any] = lambda row: row  # the form that decode is fastest with, untimed


def each(call: Callable[[str], Any], threads: int) -> Callable[[Batch], Any]:
    """Make a batch call of a call for one document; threads help where the peer releases the interpreter."""
    if threads == 1:
        return lambda batch: [call(document) for document in batch.documents]

    def run(batch: Batch) -> list[Any]:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(call, batch.documents))

    return run


def arrays(native: Any) -> Sequence[Sequence[int]]:
    """Rows of an awkward array as numpy arrays."""
    import numpy

    return [numpy.asarray(row) for row in native]


def cut(flat: Any, offsets: Any) -> Sequence[Sequence[int]]:
    """Rows of one flat array with offsets."""
    import numpy

    return numpy.split(flat, numpy.asarray(offsets[1:-1], dtype=numpy.int64))


def tiktoken(job: Job) -> Codec:
    """OpenAI's."""
    import tiktoken

    codec = tiktoken.Encoding(
        "peer", pat_str=job.pattern.tiktoken, mergeable_ranks=read_ranks(job.ranks_path), special_tokens={}
    )
    if job.threads == 1:
        return Codec(each(codec.encode_ordinary, 1), list, codec.decode_bytes)
    return Codec(
        lambda batch: codec.encode_ordinary_batch(batch.documents, num_threads=job.threads), list, codec.decode_bytes
    )


def tokenizers(job: Job) -> Codec:
    """Hugging Face's; threads come from the environment."""
    from tokenizers import Tokenizer

    codec = Tokenizer.from_file(str(job.json_path))
    return Codec(
        lambda batch: codec.encode_batch_fast(batch.documents, add_special_tokens=False),
        lambda native: [encoding.ids for encoding in native],
        codec.decode,
    )


def load_gigatoken(job: Job) -> Any:
    """The tokenizer, with what its first call would import."""
    import awkward  # noqa: F401
    import gigatoken

    return gigatoken.Tokenizer.from_tiktoken(job.ranks_path, pretokenizer=job.pattern.gigatoken)


def gigatoken(job: Job) -> Codec:
    """gigatoken on bytes in memory that it splits itself."""
    import gigatoken as module

    codec = load_gigatoken(job)
    return Codec(
        lambda batch: codec.encode_batch(module.BytesSource(batch.text, separator=job.separator), parallel=job.threads > 1),
        arrays,
        codec.decode,
    )


def gigatoken_files(job: Job) -> Codec:
    """gigatoken reading the file itself."""
    import gigatoken as module

    codec = load_gigatoken(job)
    return Codec(
        lambda batch: codec.encode_files(
            module.TextFileSource([batch.path], separator=job.separator), parallel=job.threads > 1
        ),
        arrays,
        codec.decode,
    )


def quicktok(job: Job) -> Codec:
    """quicktok, its tables made by its own importer."""
    import quicktok as module
    from quicktok import _import_core as importer

    scanner = importer.KNOWN_PATTERNS.get(job.pattern.regex)
    if scanner is None:
        raise Unfit(f"has no scanner for the pattern {job.pattern.name}")
    importer.write_files(str(job.folder), "peer", read_ranks(job.ranks_path), {}, scanner, False)
    importer.ensure_tables(str(job.folder), str(Path(module.__file__).parent / "data"), scanner, False)
    codec = module.Tokenizer("peer", str(job.folder))
    return Codec(
        lambda batch: codec.encode_batch(batch.documents, job.threads),
        lambda native: cut(native[0], native[1]),
        codec.decode,
        lambda row: row.tolist(),
    )


def bpe_openai(job: Job) -> Codec:
    """GitHub's rust-gems, through the class below the public one, which refuses long documents."""
    from bpe_openai import _bindings

    if job.vocabulary not in ("cl100k_base", "o200k_base"):
        raise Unfit("has its own vocabularies only")
    codec = _bindings.tokenizer_for_encoding(job.vocabulary)
    return Codec(each(codec.encode, job.threads), list, codec.decode)


def rs_bpe(job: Job) -> Codec:
    """rs-bpe, which is fastest with its batch calls."""
    from rs_bpe.bpe import openai

    if job.vocabulary not in ("cl100k_base", "o200k_base"):
        raise Unfit("has its own vocabularies only")
    codec = getattr(openai, job.vocabulary)()
    if job.threads == 1:
        return Codec(lambda batch: codec.encode_batch(batch.documents)[0], list, codec.decode)
    options = openai.ParallelOptions(min_batch_size=2, chunk_size=16, max_threads=job.threads)
    return Codec(lambda batch: codec.encode_batch_parallel(batch.documents, options)[0], list, codec.decode)


def tokie(job: Job) -> Codec:
    """tokie; threads come from the environment."""
    import tokie as module

    codec = module.Tokenizer.from_json(str(job.json_path))
    return Codec(
        lambda batch: codec.encode_batch(batch.documents, add_special_tokens=False),
        lambda native: [encoding.ids for encoding in native],
        codec.decode_bytes,
        list,
    )


def tokie_files(job: Job) -> Codec:
    """tokie reading the file itself."""
    import tokie as module

    codec = module.Tokenizer.from_json(str(job.json_path))
    return Codec(
        lambda batch: codec.encode_files([str(batch.path)], separator=job.separator),
        lambda native: cut(native[0], native[1]),
        codec.decode_bytes,
        lambda row: row.tolist(),
    )


@dataclass(frozen=True)
class Encoder:
    """A row of the table."""

    package: str
    load: Callable[[Job], Codec]
    reads_files: bool = False


ENCODERS = {
    "gigatoken": Encoder("gigatoken", gigatoken),
    "gigatoken, files": Encoder("gigatoken", gigatoken_files, reads_files=True),
    "quicktok": Encoder("quicktok-v1", quicktok),
    "tokie": Encoder("tokie", tokie),
    "tokie, files": Encoder("tokie", tokie_files, reads_files=True),
    "bpe-openai": Encoder("bpe-openai", bpe_openai),
    "rs-bpe": Encoder("rs-bpe", rs_bpe),
    "tiktoken": Encoder("tiktoken", tiktoken),
    "tokenizers": Encoder("tokenizers", tokenizers),
}
