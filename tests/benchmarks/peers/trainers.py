"""The trainers of byte-level vocabularies that are compared, all with GPT-2's split pattern and no special token."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vocabulary import PATTERNS, read_ranks

PATTERN = PATTERNS["gpt2"]


@dataclass(frozen=True)
class Job:
    """What to learn from. `documents` is empty for peers that read the file."""

    path: Path
    folder: Path  # its own, for what it has to write
    documents: list[str]
    vocab_size: int  # the 256 bytes included


Tokens = Callable[[], list[bytes]]  # what was learnt, untimed


def gigatoken(job: Job) -> Tokens:
    """gigatoken, whose pattern is fixed; it reads the file."""
    import gigatoken as module

    vocab, _ = module.train_bpe(job.path, job.vocab_size, [])
    return lambda: list(vocab.values())


def rustbpe(job: Job) -> Tokens:
    """rustbpe; threads come from the environment."""
    import rustbpe as module

    tokenizer = module.Tokenizer()
    tokenizer.train_from_iterator(iter(job.documents), job.vocab_size, pattern=PATTERN.regex)
    return lambda: [bytes(token) for token, _ in tokenizer.get_mergeable_ranks()]


def bpeasy(job: Job) -> Tokens:
    """bpeasy, its limit on the length of tokens out of the way."""
    import bpeasy as module

    ranks = module.train_bpe(iter(job.documents), PATTERN.regex, 1 << 16, job.vocab_size)
    return lambda: list(ranks)


def tokenizers(job: Job) -> Tokens:
    """Hugging Face's; threads come from the environment."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=job.vocab_size, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(job.documents, trainer)

    def tokens() -> list[bytes]:
        path = job.folder / "trained.json"
        tokenizer.save(str(path))
        return list(read_ranks(path))

    return tokens


@dataclass(frozen=True)
class Trainer:
    """A row of the table."""

    package: str
    train: Callable[[Job], Tokens]
    reads_files: bool = False


TRAINERS = {
    "gigatoken": Trainer("gigatoken", gigatoken, reads_files=True),
    "rustbpe": Trainer("rustbpe", rustbpe),
    "bpeasy": Trainer("bpeasy", bpeasy),
    "tokenizers": Trainer("tokenizers", tokenizers),
}

