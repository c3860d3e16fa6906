"""Damages copies of each kind of file, and reads them; as a command as many as are asked for.

    python tests/store/damage.py --copies 100000

Each copy is read by a process that others watch: one that takes long, or ends, is counted. A copy is
right if it is read as the file was, or refused with one line of printable characters. Where a kind
has no checksums (format 1, CSV, weights by others), values may be read as others.
"""

import argparse
import logging
import multiprocessing
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
from networks.weight_files import WEIGHT_FILES
from store.stores import OTHERS, STORES, SmallStore, flat, write_format_1

from merec_hpc.errors import MerecError

FILES = {
    **STORES,
    **OTHERS,
    **{f"weights_{name}": small for name, small in WEIGHT_FILES.items()},
}
MOST_SAID = 600  # characters
SECONDS = 120.0  # of a batch without an answer


def damaged_copies(path: Path, copy: Path, n_copies: int, seed: int = 0) -> Iterator[Path]:
    """Write damaged copies of a file to ``copy``, one after the other, and yield its name."""
    content, rng = path.read_bytes(), np.random.default_rng(seed)
    for _ in range(n_copies):
        copy.write_bytes(damaged(content, rng))
        yield copy


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Flip bits, overwrite, cut out, double or cut off a part of a file."""
    changed = bytearray(content)
    start = int(rng.integers(len(content)))
    length = int(2 ** rng.uniform(0, 12))
    match int(rng.integers(7)):
        case 0:
            changed[start] ^= 1 << int(rng.integers(8))
        case 1:
            for place in rng.integers(len(content), size=int(rng.integers(1, 50))):
                changed[place] ^= 1 << int(rng.integers(8))
        case 2:
            changed[start : start + length] = bytes(min(length, len(content) - start))
        case 3:
            part = len(changed[start : start + length])
            changed[start : start + length] = rng.bytes(part)
        case 4:
            del changed[start : start + length]
        case 5:
            changed[start:start] = changed[start : start + length]
        case _:
            del changed[start:]
    return bytes(changed)


def outcome(store: SmallStore, path: Path, expected: list[object]) -> str:
    """Return what reading a copy came to: 'as before', 'refused', or what is wrong."""
    try:
        found = flat(store.read(path))
    except MerecError as error:
        said = str(error)
        is_clear = said.isprintable() and len(said) <= MOST_SAID
        return "refused" if is_clear else f"an unclear line: {said!r}"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is wrong
        return f"{type(error).__name__}: {error}"
    return "as before" if found == expected else "read as another"


def _read_batch(kind: str, n_copies: int, seed: int, is_former: bool, answers: object) -> None:
    store = FILES[kind]
    logging.disable()  # a line for each checkpoint that is torn
    with tempfile.TemporaryDirectory() as name:
        path, copy = (Path(name) / f"{stem}{store.suffix}" for stem in ("store", "copy"))
        store.write(path)
        if is_former and store.spec is not None:
            write_format_1(path, Path(name) / "former.h5", store.spec)
            path = Path(name) / "former.h5"
        expected = flat(store.read(path))
        for number, damaged_copy in enumerate(damaged_copies(path, copy, n_copies, seed)):
            answers.put((number, outcome(store, damaged_copy, expected)))  # type: ignore[attr-defined]


def read_batch(kind: str, n_copies: int, seed: int, *, is_former: bool = False) -> Counter[str]:
    """Read damaged copies in another process, and count what came of them."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(
        target=_read_batch, args=(kind, n_copies, seed, is_former, answers), daemon=True
    )
    process.start()
    counts: Counter[str] = Counter()
    number = -1
    while number < n_copies - 1:
        try:
            number, found = answers.get(timeout=SECONDS)
        except Exception:  # noqa: BLE001  # queue.Empty
            counts[f"copy {number + 1} of seed {seed}: no answer (exit {process.exitcode})"] += 1
            break
        counts[found] += 1
    process.kill()
    return counts


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Print a table, and end with status 1 if a copy was neither read as before nor refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=1000, help="of each kind")
    parser.add_argument("--kinds", nargs="+", choices=list(FILES), default=list(FILES))
    parser.add_argument(
        "--former", action="store_true", help="of format 1, whose texts nothing protects"
    )
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    n_wrong = 0
    _say("| kind | copies | as before | refused | wrong |\n|---|---|---|---|---|")
    for kind in asked.kinds:
        counts: Counter[str] = Counter()
        batch = min(asked.copies, 2000)
        for number in range(-(-asked.copies // batch)):
            counts += read_batch(kind, batch, asked.seed + number, is_former=asked.former)
        if asked.former and FILES[kind].spec is None:
            continue
        unchecked = asked.former or not FILES[kind].is_checked
        right = ["as before", "refused", *(["read as another"] if unchecked else [])]
        wrong = {said: count for said, count in counts.items() if said not in right}
        n_wrong += sum(wrong.values())
        numbers = [counts.total(), counts["as before"], counts["refused"], sum(wrong.values())]
        _say(f"| {kind} | {' | '.join(map(str, numbers))} |")
        for said, count in wrong.items():
            _say(f"  {count} x {said}"[:300])
    sys.exit(n_wrong > 0)


if __name__ == "__main__":
    main()
