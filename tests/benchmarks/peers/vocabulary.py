"""Vocabularies in the forms that the peers read, and the split patterns in the dialects that they understand."""

import base64
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

BOUNDARY = "<|endoftext|>"


@dataclass(frozen=True)
class Pattern:
    """One rule of cutting text into pieces."""

    name: str
    regex: str  # as its authors published it
    tiktoken: str  # the same language with possessive quantifiers, as tiktoken runs it; what it is fastest with
    gigatoken: str  # gigatoken's name for it


CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
O200K = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ]
)
PATTERNS = {
    "gpt2": Pattern(
        "gpt2",
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
        "gpt2",
    ),
    "cl100k": Pattern(
        "cl100k",
        CL100K,
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
        r"|\s+(?!\S)|\s",
        "gpt4",
    ),
    "o200k": Pattern("o200k", O200K, O200K, "o200k"),
    "qwen2": Pattern("qwen2", CL100K.replace(r"\p{N}{1,3}", r"\p{N}"), CL100K.replace(r"\p{N}{1,3}", r"\p{N}"), "qwen2"),
}


def printable_bytes() -> list[str]:
    """Return the character that stands for each byte in tokenizer.json (GPT-2's alphabet)."""
    shown = set(range(33, 127)) | set(range(161, 256)) - {173}
    hidden = iter(range(256, 512))
    return [chr(byte) if byte in shown else chr(next(hidden)) for byte in range(256)]


def read_ranks(path: Path) -> dict[bytes, int]:
    """Return the tokens by id of a tokenizer.json or a rank file (.tiktoken), compressed or not."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if data.lstrip()[:1] != b"{":
        lines = (line.split() for line in data.splitlines() if line)
        return {base64.b64decode(token): int(rank) for token, rank in lines}
    byte_of = {char: byte for byte, char in enumerate(printable_bytes())}
    content = json.loads(data)
    added = {token["content"] for token in content.get("added_tokens") or []}
    vocab = content["model"]["vocab"]
    return {bytes(byte_of[char] for char in token): rank for token, rank in vocab.items() if token not in added}


def last_merge(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Return the two tokens that the token itself is merged from, when only lower ranks are merged before."""
    parts = [bytes([byte]) for byte in token]
    limit = ranks[token]
    while len(parts) > 2:
        candidates = [(ranks.get(parts[i] + parts[i + 1], limit), i) for i in range(len(parts) - 1)]
        rank, at = min(candidates)
        if rank >= limit:
            raise ValueError(f"no merges lead to token {token!r}")
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]


def tokenizer_json(ranks: dict[bytes, int], pattern: Pattern, with_boundary: bool) -> str:
    """Return the vocabulary as tokenizer.json. Only with_boundary does it have a special token, behind all others."""
    alphabet = printable_bytes()
    names = {token: "".join(alphabet[byte] for byte in token) for token in ranks}
    merges = [last_merge(token, ranks) for token in sorted(ranks, key=lambda token: ranks[token]) if len(token) > 1]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    pre_tokenizer: dict[str, object] = level | {"use_regex": True}
    if pattern.name != "gpt2":
        split = {"type": "Split", "pattern": {"Regex": pattern.regex}, "behavior": "Isolated", "invert": False}
        pre_tokenizer = {"type": "Sequence", "pretokenizers": [split, level | {"use_regex": False}]}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    boundary = {"id": max(ranks.values()) + 1, "content": BOUNDARY} | flags
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {names[token]: rank for token, rank in ranks.items()},
        "merges": [[names[left], names[right]] for left, right in merges],
    }
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [boundary] if with_boundary else [],
            "normalizer": None,
            "pre_tokenizer": pre_tokenizer,
            "post_processor": None,
            "decoder": level | {"use_regex": True},
            "model": model,
        }
    )


def rank_file(ranks: dict[bytes, int]) -> bytes:
    """Return the vocabulary as a rank file."""
    return b"".join(
        base64.b64encode(token) + b" " + str(ranks[token]).encode() + b"\n" for token in sorted(ranks, key=ranks.__getitem__)
    )
