"""Sound inputs, damaged: bytes of any file, trees of JSON, and chunks of a PNG whose checksums stay right."""

import json
import math
import struct
import zlib
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

Mutate = Callable[[Random, bytes], bytes]

DEEP = "<a deeply nested list>"
"""In a tree: stands for more lists in each other than any reader can follow; ``as_json`` writes them."""

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 255, 256, 2**31, 2**63, 2**70, 10**400, 0.5, -0.5, 1e308, math.nan, math.inf, -math.inf),
    *("", "../x", "/etc/passwd", "a\nb", "a\rb\u2028c", "a\0b", "\ud800", "x" * 5000, "é", "1e-3", ".", "a/b", DEEP),
    *([], {}, [[]], {"x": 1}, [None], [0, 0, 0], ["../x"], {"../x": {}}),
)
"""What any value of a tree may become."""


def damaged(chance: Random, content: bytes) -> bytes:
    """Bytes with one to four random changes: a flip, another byte, a cut, an insertion, a deletion, a swap, a copy."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place, other = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        length = chance.choice((1, 2, 4, 16, 64))
        change = chance.randrange(8)
        if change == 0 and place < len(data):
            data[place] ^= 1 << chance.randrange(8)
        elif change == 1 and place < len(data):
            data[place] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        elif change == 2:
            del data[place:]
        elif change == 3:
            data[place:place] = chance.randbytes(length)
        elif change == 4:
            del data[place : place + length]
        elif change == 5:
            data[place : place + length], data[other : other + length] = (
                data[other : other + length],
                data[place : place + length],
            )
        elif change == 6:
            data[place:place] = data[other : other + length]
        elif place < len(data):
            word = chance.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1)).to_bytes(4, chance.choice(("big", "little")))
            data[place : place + 4] = word
    return bytes(data)


def edited(chance: Random, tree: Any, odd: Callable[[Random, Any], Any] | None = None) -> Any:
    """A copy of a tree of dicts and lists with one or two of its values or keys changed.

    ``odd`` makes another value of one; without it one of ``ODD_VALUES`` is taken.
    """
    tree = deepcopy(tree)
    for _ in range(chance.choice((1, 1, 2))):
        places = list(_places(tree))
        if not places:
            return chance.choice(ODD_VALUES)
        parent, key = chance.choice(places)
        change = chance.randrange(6)
        if change == 0:
            del parent[key]
        elif change == 1:
            other, other_key = chance.choice(places)
            parent[key] = deepcopy(other[other_key])
        elif change == 2 and isinstance(parent, dict):
            parent[chance.choice(("x", "", "../x", "a\nb", "\ud800", DEEP, key + "x" if key is str else "y"))] = (
                parent.pop(key)
            )
        elif change == 2:
            parent.insert(key, deepcopy(parent[key]))
        else:
            parent[key] = deepcopy(odd(chance, parent[key]) if odd else chance.choice(ODD_VALUES))
    return tree


def _places(tree: Any) -> Any:
    """Every dict or list of a tree with each of its keys or indices."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def as_json(tree: Any) -> bytes:
    """JSON as a careless program writes it: with NaN, with halves of surrogate pairs, with endless nesting."""
    text = json.dumps(tree).replace(json.dumps(DEEP), "[" * 100_000 + "]" * 100_000, 1)
    return text.encode("utf-8")


def json_edits(chance: Random, content: bytes) -> bytes:
    """A JSON file with damaged bytes, or, in three of four, with edited values."""
    if chance.randrange(4) == 0:
        return damaged(chance, content)
    return as_json(edited(chance, json.loads(content)))


def png_edits(chance: Random, content: bytes) -> bytes:
    """A PNG with damaged bytes; or with a damaged chunk, whose checksum is made right; or with damaged pixels."""
    if chance.randrange(3) == 0:
        return damaged(chance, content)
    chunks = _chunks(content)
    place = chance.randrange(len(chunks))
    kind, data = chunks[place]
    change = chance.randrange(8)
    if change == 0:
        del chunks[place]
    elif change == 1:
        chunks.insert(chance.randrange(len(chunks) + 1), (kind, data))
    elif change == 2:
        chunks[place] = chance.choice((b"IDAT", b"PLTE", b"tRNS", b"eXIf", b"zTXt", b"acTL", b"IEND")), data
    elif kind == b"IDAT" and change < 6:
        chunks[place] = kind, zlib.compress(damaged(chance, zlib.decompress(data)))
    else:
        chunks[place] = kind, damaged(chance, data)
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Type and data of every chunk of a sound PNG."""
    chunks, place = [], 8
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    return chunks
