#!/usr/bin/env python3
"""Compares ids of this project with those of Hugging Face tokenizers and of tiktoken: any difference is an error.

    VENV/bin/python tests/benchmarks/peers/compare_ids.py --driver build/release/bin/clm_ids_driver \\
        --ranks cl100k_base.tiktoken.gz [--data FOLDER...] [--strings N] [--seed N] [--characters] [--only FORM...]

Every form of tokenizer.json that is in use (below: FORMS) is made from the ranks, read by both programs, and given the
files of the folders and N random strings; the same for tiktoken with each of its patterns. Strings that are not UTF-8
cannot be given to tokenizers, and tiktoken does not cut what follows the first invalid byte: for them the pieces are those
of the same text with U+001A in the place of each invalid byte, and each piece's ids are tiktoken's.

Programs know different versions of Unicode. Random strings hold characters that Python's version assigns;
--characters encodes every character there is, and lists those whose ids differ, which is no error.
"""

import argparse
import json
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import tiktoken
import tokenizers
from vocabulary import BOUNDARY, CL100K, O200K, PATTERNS, last_merge, printable_bytes, rank_file, read_ranks

GPT2 = PATTERNS["gpt2"].regex
QWEN2 = PATTERNS["qwen2"].regex
DEEPSEEK = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"""
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
QWEN35 = QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]+", r"[^\s\p{L}\p{M}\p{N}]+")
ALPHABET = printable_bytes()


def spell(token: bytes) -> str:
    """Return the token in GPT-2's alphabet."""
    return "".join(ALPHABET[byte] for byte in token)


def split(regex: str, behavior: str = "Isolated", invert: bool = False) -> dict:
    """Return a Split step."""
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": invert}


def byte_level(use_regex: bool) -> dict:
    """Return a ByteLevel step."""
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def steps(*parts: dict, use_regex: bool = False) -> dict:
    """Return a Sequence that ends with ByteLevel."""
    return {"type": "Sequence", "pretokenizers": [*parts, byte_level(use_regex)]}


def added(content: str, special: bool = True, normalized: bool = False) -> dict:
    """Return an added token without its id."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False}
    return {"content": content, "special": special, "normalized": normalized} | flags


def one_merge_each(ranks: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """Return for each token the two that lower ranks leave of it."""
    return [last_merge(token, ranks) for token in sorted(ranks, key=ranks.__getitem__) if len(token) > 1]


def all_merges(ranks: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """Return every way to make each token of two, as the converters of transformers write them."""
    merges = []
    for token in sorted(ranks, key=ranks.__getitem__):
        halves = [(token[:i], token[i:]) for i in range(1, len(token))]
        known = [(left, right) for left, right in halves if left in ranks and right in ranks]
        merges += sorted(known, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))
    return merges


# What tokenizer.json files in use say, by the models that use them.
FORMS: dict[str, dict] = {
    "gpt2": {"pre_tokenizer": byte_level(True)},
    "cl100k": {"pre_tokenizer": steps(split(CL100K))},
    "cl100k-removed": {"pre_tokenizer": steps(split(CL100K, "Removed", True))},
    "o200k": {"pre_tokenizer": steps(split(O200K))},
    "llama3": {
        "pre_tokenizer": steps(split(CL100K)),
        "merges": all_merges,
        "ignore_merges": True,
        "added": [added("<|begin_of_text|>"), added("<|eot_id|>")],
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {
                "<|begin_of_text|>": {"id": "<|begin_of_text|>", "ids": [0], "tokens": ["<|begin_of_text|>"]}
            },
        },
    },
    "qwen2": {
        "pre_tokenizer": steps(split(QWEN2)),
        "normalizer": {"type": "NFC"},
        "added": [added("<|im_start|>"), added("<tool_call>", False), added("</tool_call>", False)],
    },
    "qwen3.5": {"pre_tokenizer": steps(split(QWEN35)), "normalizer": {"type": "NFC"}},
    "starcoder": {"pre_tokenizer": steps({"type": "Digits", "individual_digits": True}, use_regex=True)},
    "deepseek3": {
        "pre_tokenizer": steps(split(r"\p{N}{1,3}"), split("[一-龥\u3040-ゟ゠-ヿ]+"), split(DEEPSEEK)),
        "added": [added("<｜User｜>", False), added("<｜begin▁of▁sentence｜>")],
    },
    "deepseek-coder": {
        "pre_tokenizer": steps(
            split(r"[\r\n]"),
            split(r"\s?\p{L}+"),
            split(r"\s?\p{P}+"),
            split("[一-龥ࠀ-一가-\ud7ff]+"),
            {"type": "Digits", "individual_digits": True},
        )
    },
    "deepseek-llm": {
        "pre_tokenizer": steps(
            split(r"[\r\n]"),
            split(r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-Ֆ]+"),
            split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"),
            split(r"\s+$"),
            split("[一-龥ࠀ-一가-\ud7ff]+"),
            {"type": "Digits", "individual_digits": True},
        )
    },
    "bloom": {"pre_tokenizer": steps(split(BLOOM))},
    "falcon": {
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Punctuation", "behavior": "Contiguous"},
                {"type": "Digits", "individual_digits": False},
                split("[0-9][0-9][0-9]"),
                byte_level(True),
            ],
        }
    },
    "neox": {
        "pre_tokenizer": byte_level(True),
        "normalizer": {"type": "NFC"},
        "added": [added(" " * count, False, True) for count in range(24, 1, -1)],
    },
    # No model's; what the engines understand differently unless it is translated.
    "dialect": {"pre_tokenizer": steps(split(r"\p{N}{1,3}+|(?i:ab|é)|\w+(?=\s)|\p{Han}+|\s+$|x*"))},
}


def tokenizer_json(form: dict, ranks: dict[bytes, int], merges: list[tuple[bytes, bytes]]) -> str:
    """Return the file of a form."""
    tokens = [added(BOUNDARY)] + form.get("added", [])
    first = max(ranks.values()) + 1
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None}
    model |= {"end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False}
    model |= {"ignore_merges": form.get("ignore_merges", False), "vocab": {spell(t): rank for t, rank in ranks.items()}}
    model |= {"merges": [f"{spell(left)} {spell(right)}" for left, right in merges]}
    content = {"version": "1.0", "truncation": None, "padding": None}
    content |= {"added_tokens": [{"id": first + i} | token for i, token in enumerate(tokens)]}
    content |= {"normalizer": form.get("normalizer"), "pre_tokenizer": form["pre_tokenizer"]}
    content |= {"post_processor": form.get("post_processor"), "decoder": byte_level(True), "model": model}
    return json.dumps(content)


# ---- documents ----

UNITS = (
    ["'s", "'ll", "'RE", "'ſ", "don't", " ", " ", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\x85", "\u2028"]
    + ["0", "7", "123", "45678", "٣", "Ⅷ", "²", "a", "b", "the", " the", "word", "camelCase", "HTTPServer", "éa", "Ж"]
    + ["中文", "日本語の", "한국어", "ไทย", "हिन्दी", "e\u0301", "\u200b", "\u200d", "👍🏽", "🇩🇪", ".", "!!", "--", "://", "{}"]
    + ["()", "[", "ß", "ǅ", "ʰ", "_", "İ", "K", "\x00", "\x1a", "ab", "xx", BOUNDARY, "<|im_start|>", "<|eot_id|>"]
    + ["<tool_call>", "</tool_call>", "<｜User｜>", "<｜begin▁of▁sentence｜>", "<|", "      "]
)


def random_string(rng: random.Random, assigned: list[str]) -> str:
    """Return a short text: runs of a few units, now and then any character."""
    units = [rng.choice(UNITS) if rng.random() < 0.8 else rng.choice(assigned) for _ in range(rng.randint(1, 6))]
    return "".join(rng.choice(units) for _ in range(rng.randint(0, 12)))


def damaged(rng: random.Random, text: str) -> bytes:
    """Return the text with a few bytes changed, taken out or put in."""
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(data))
        data[at : at + rng.randint(0, 1)] = bytes([rng.choice([0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xF0, 0xFF, 0x20, 0x61])])
    return bytes(data)


def data_files(folders: list[Path]) -> Iterator[bytes]:
    """Yield the files of the folders, in parts of up to 1 MiB."""
    for folder in folders:
        for path in sorted(path for path in [folder, *folder.rglob("*")] if path.is_file() and path.suffix != ".gz"):
            data = path.read_bytes()
            yield from (data[at : at + (1 << 20)] for at in range(0, len(data), 1 << 20))


def substituted(data: bytes) -> str:
    """Return the text with U+001A for each byte that is not valid UTF-8."""
    return data.decode("utf-8", errors="surrogateescape").translate({code: 0x1A for code in range(0xDC80, 0xDD00)})


# ---- programs ----


class Ours:
    """This project, through its driver."""

    def __init__(self, driver: Path, folder: Path) -> None:
        self.driver = driver
        self.folder = folder

    def run(self, command: str, *options: str) -> None:
        """Start the driver."""
        subprocess.run([str(self.driver), command, *options], check=True)

    def encode(self, documents: list[bytes], *options: str) -> list[array]:
        """Return the ids of every document."""
        path = self.folder / "documents"
        lengths = struct.pack(f"<{len(documents) + 1}I", len(documents), *map(len, documents))
        path.write_bytes(lengths + b"".join(documents))
        out = self.folder / "ids"
        self.run("encode", "--documents", str(path), "--out", str(out), *options)
        data = out.read_bytes()
        words = array("I", data)
        ids, at = [], len(documents) + 1
        for length in words[1 : len(documents) + 1]:
            ids.append(words[at : at + length])
            at += length
        return ids


class Differences:
    """Counts documents with other ids and shows the first ones."""

    def __init__(self, characters: bool) -> None:
        self.characters = characters
        self.total = 0

    def compare(self, name: str, documents: list[bytes], ours: list[array], theirs: list[array]) -> None:
        """Count and show."""
        if self.characters:
            codes = [ord(documents[i].decode()[1]) for i, ids in enumerate(ours) if ids != theirs[i]]
            print(f"{name}: {len(codes)} of {len(documents)} characters differ: {ranges_of(codes)}", flush=True)
            return
        different = [i for i, ids in enumerate(ours) if ids != theirs[i]]
        self.total += len(different)
        size = sum(map(len, documents))
        print(f"{name}: {len(documents)} documents, {size} bytes, {len(different)} differ", flush=True)
        for i in different[:3]:
            print(f"  {documents[i][:200]!r}\n    ours   {ours[i][:40].tolist()}\n    theirs {theirs[i][:40].tolist()}")


def ranges_of(codes: list[int]) -> str:
    """Return the code points in ranges, with their categories in Python's version of Unicode."""
    shown, first = [], 0
    for i, code in enumerate(codes):
        if i + 1 < len(codes) and codes[i + 1] == code + 1:
            continue
        name = f"U+{codes[first]:04X}" + (f"..{code:04X}" if code > codes[first] else "")
        shown.append(f"{name} {unicodedata.category(chr(code))}")
        first = i + 1
    return ", ".join(shown)


def is_utf8(data: bytes) -> bool:
    """Return whether the bytes are text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def substituted_ids(documents: list[bytes], pieces_of: Callable[[str], list[str]], core: object) -> list[array]:
    """Return the ids of bytes that are not UTF-8: pieces of the substituted text, ids of the bytes of each."""
    result = []
    for data in documents:
        ids, at = [], 0
        for piece in pieces_of(substituted(data)):
            # A substitute stands for one byte, as it is one byte itself.
            length = len(piece.encode())
            ids += core.encode_single_piece(data[at : at + length])
            at += length
        assert at == len(data)
        result.append(array("I", ids))
    return result


def in_batches(encode: Callable[[list[str]], list[list[int]]], texts: list[str]) -> list[array]:
    """Return the ids of every text; the peers' own results take much memory."""
    batch = 20_000
    return [array("I", ids) for at in range(0, len(texts), batch) for ids in encode(texts[at : at + batch])]


def tokenizers_ids(path: Path, texts: list[str], special: bool) -> list[array]:
    """Return the ids that tokenizers gives with a tokenizer.json."""
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = not special

    def encode(batch: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in tokenizer.encode_batch(batch, add_special_tokens=False)]

    return in_batches(encode, texts)


def nfc(texts: list[bytes]) -> list[bytes]:
    """Return the texts that NFC does not change."""
    return [text for text in texts if unicodedata.is_normalized("NFC", text.decode())]


def compare_form(name: str, ranks: dict[bytes, int], texts: list[bytes], ours: Ours, found: Differences) -> None:
    """Compare one form of tokenizer.json, and the file that this project writes for it, with tokenizers."""
    form = FORMS[name]
    path = ours.folder / "tokenizer.json"
    path.write_text(tokenizer_json(form, ranks, form.get("merges", one_merge_each)(ranks)), encoding="utf-8")
    written = ours.folder / "written.json"
    ours.run("convert", "--tokenizer", str(path), "--to", "json", "--out", str(written))
    documents = nfc(texts) if form.get("normalizer") else texts
    strings = [text.decode() for text in documents]
    for label, special in (("text", False), ("special", True)):
        want = tokenizers_ids(path, strings, special)
        options = ["--special"] if special else []
        found.compare(f"{name} {label}", documents, ours.encode(documents, "--tokenizer", str(path), *options), want)
        if not special:
            rewritten = tokenizers_ids(written, strings, special)
            found.compare(f"{name} written, read by tokenizers", documents, rewritten, want)


def compare_tiktoken(
    name: str, ranks: dict[bytes, int], texts: list[bytes], broken: list[bytes], ours: Ours, found: Differences
) -> None:
    """Compare a rank file and a pattern with tiktoken."""
    regex = PATTERNS[name].tiktoken
    encoding = tiktoken.Encoding(name=name, pat_str=regex, mergeable_ranks=ranks, special_tokens={})
    path = ours.folder / "ranks.tiktoken"
    path.write_bytes(rank_file(ranks))
    options = ["--ranks", "--tokenizer", str(path), "--pattern", regex, "--boundary-id", str(max(ranks.values()) + 1)]
    want = in_batches(encoding.encode_ordinary_batch, [text.decode() for text in texts])
    found.compare(f"tiktoken {name}", texts, ours.encode(texts, *options), want)
    # fancy-regex is not to be had alone; Oniguruma reads the same with \z for $, and an atomic group for {1,3}+.
    shared = regex.replace(r"\p{N}{1,3}+", r"(?>\p{N}{1,3})").replace("$", r"\z")
    splitter = tokenizers.pre_tokenizers.Split(tokenizers.Regex(shared), "isolated")

    def pieces_of(text: str) -> list[str]:
        return [piece for piece, _ in splitter.pre_tokenize_str(text)]

    want = substituted_ids(broken, pieces_of, encoding._core_bpe)
    found.compare(f"tiktoken {name}, not UTF-8", broken, ours.encode(broken, *options), want)


def main() -> None:
    """Compare everything that is asked for; the exit status says whether all ids are equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", type=Path, required=True)
    parser.add_argument("--ranks", type=Path, required=True, help="rank file or tokenizer.json, compressed or not")
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="files and folders whose files are encoded")
    parser.add_argument("--strings", type=int, default=10_000, help="how many random strings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--characters", action="store_true", help="every character instead of files and strings")
    parser.add_argument("--only", nargs="*", help="forms, or tiktoken")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    assigned = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    strings = [random_string(rng, assigned) for _ in range(args.strings)]
    files = list(data_files(args.data))
    texts = [data for data in files if is_utf8(data)] + [text.encode() for text in strings]
    broken = [data for data in files if not is_utf8(data)]
    broken += [data for data in (damaged(rng, text) for text in strings) if not is_utf8(data)]
    if args.characters:
        texts = [f"a{chr(c)}b {chr(c)}1{chr(c)} \n{chr(c)}".encode() for c in range(0x110000) if not 0xD800 <= c < 0xE000]
        broken = []
    ranks = read_ranks(args.ranks)
    found = Differences(args.characters)
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(args.driver, Path(folder))
        for name in FORMS:
            if args.only is None or name in args.only:
                compare_form(name, ranks, texts, ours, found)
        if args.only is None or "tiktoken" in args.only:
            for name in PATTERNS:
                compare_tiktoken(name, ranks, texts, broken, ours, found)
    sys.exit(found.total != 0)


if __name__ == "__main__":
    main()
