"""The palettes of the two domains: the possible colours of every role of a model or a patch.

``shift`` moves the target's look away from the source's: 0 is the source's own look, 1 the target's, 2 twice as far.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]
"""(N, 3) colours in [0, 1]: the variants of one role."""

# role: (source colours, target colours)
_PALETTE = {
    "road": (["8a8078"], ["5c626c"]),
    "repair": (["7c726a"], ["4c525c"]),
    "rail": (["5a5654"], ["868c96"]),
    "parking": (["8f857c"], ["6f6a68"]),
    "sidewalk": (["cdbfa6"], ["868084"]),
    "kerbstone": (["e4dccb"], ["a8a6a8"]),
    "terrain": (["a9b04f"], ["5f6b3c"]),
    "centre_mark": (["f2c22e"], ["d4d6d8"]),
    "lane_mark": (["f4f0e2"], ["d0d4d8"]),
    "crosswalk": (["f6d24a"], ["dadde0"]),
    "facade": (
        ["dcc79c", "c9814e", "b4573c", "e9dfc6", "9fb3bf", "e3b871", "c8b8a2"],
        ["8a6a5c", "a3958a", "6e5a58", "b5aa94", "7f8288", "94705a", "9c8f98"],
    ),
    "roof": (["a8503c", "8c6a58"], ["5c4440", "4a4a52"]),
    "cornice": (["f2e9d2"], ["77706e"]),
    "window": (["3f6f9f", "4a5a70", "6f9cc4"], ["2c3442", "3c3f48", "39424c"]),
    "window_lit": (["8fb9dc"], ["ffd98a"]),
    "shop": (["44607a", "6d4f3c", "3c6a5c"], ["e0bd78", "4a4440", "5a5f70"]),
    "wall": (["b9a58e", "c8b49a", "a78a78"], ["7d7a80", "6f6c66", "8a8288"]),
    "coping": (["e2d6c2"], ["9a98a0"]),
    "fence": (["f0ead8", "8a6238", "d8cdb4"], ["4c423a", "33423c", "5e5148"]),
    "fence_gap": (["7f9a5a", "8c8a62"], ["4f5a4c", "57565a"]),
    "foliage": (["4c9a2e", "6aa832", "3c8436", "86a83c"], ["4a6436", "56683a", "3c5640", "6c6a34"]),
    "trunk": (["7a5636"], ["453a34"]),
    "twigs": (["b0a698", "a09a92", "bcb4a8"], ["8c8680", "7c7872", "98928c"]),
    "pole": (["8f8f8c", "7a7a78"], ["565b60", "6c6f70"]),
    "lantern": (["f4f0e0"], ["ffe9b0"]),
    "lamp_red": (["d0241c"], ["ff2a20"]),
    "lamp_white": (["f6f4e4"], ["fff6d0"]),
    "light_box": (["c89a1e", "3a3a3a"], ["26292c", "2c2c2a"]),
    "light_red": (["ff3020"], ["ff4434"]),
    "light_amber": (["ffb010"], ["ffc030"]),
    "light_green": (["28d848"], ["4cf0a0"]),
    "light_off": (["4a3c26"], ["3c3e40"]),
    "sign_red": (["e02a20"], ["c8383a"]),
    "sign_white": (["fafaf6"], ["e0e2e4"]),
    "sign_blue": (["2060d0"], ["2c5cae"]),
    "sign_yellow": (["ffcc10"], ["e0b430"]),
    "sign_board": (["12864a"], ["3460a8"]),
    "body": (
        ["d0281e", "2450c0", "f0ece4", "f0c020", "20242a", "b8bcc0", "2c8a4c", "e87820"],
        ["7c2a2c", "2f3f66", "c6c8cc", "8c8468", "1e2126", "868a90", "34463e", "5c4c48"],
    ),
    "glass": (["2c3e50"], ["1c2228"]),
    "trim": (["34322e"], ["1e2022"]),
    "grille": (["26262a"], ["16181a"]),
    "plate": (["f0f0e0"], ["d8d8d0"]),
    "tyre": (["1c1c1e"], ["121416"]),
    "rim": (["b8bcc0"], ["6e7276"]),
    "bus": (["f4b41a", "2c7ad0", "f0f0ea"], ["c84a34", "b8a040", "4a6ea0"]),
    "bus_stripe": (["fff4d0", "1c2c60", "d03828"], ["e6e0d4", "5c2c28", "d8dce0"]),
    "display": (["ffb84a"], ["ffc468"]),
    "truck": (["d83c24", "2c58b4", "f2f0ea", "e8862a"], ["7a3c38", "3e5272", "b4b6b8", "8c6a3c"]),
    "cargo": (["f2f0ea", "e8d8b0", "d8e0e6", "e88a3c"], ["b8b4a8", "9c8a6c", "8e9298", "a87c50"]),
    "tram": (["e4e0ea", "c8d8e4"], ["d8b648", "c43c3a", "cfc6a8"]),
    "tram_band": (["8a3c94", "2c8a9c"], ["5a5248", "d8d0c0", "2f5c56"]),
    "skin": (["e8b48c", "b07a52", "f0c8a4"], ["c8a088", "8c6650", "d4b09c"]),
    "hair": (["3c2a1e", "181410", "a8803c"], ["2a2420", "181818", "6c5a48"]),
    "jacket": (
        ["e03428", "2468d8", "f4f0e8", "f0b820", "38a85c", "9c4cb0", "e87c9c"],
        ["5c3438", "2e3c58", "8c8c88", "7a6638", "384c44", "4c4050", "201f24"],
    ),
    "trousers": (
        ["2c4a8c", "6c5c48", "282c34", "c8b48c", "4c6c9c"],
        ["262c3c", "3c3836", "1c1e22", "5c564c", "343c48"],
    ),
    "shoe": (["2c2420"], ["181818"]),
    "helmet": (["f4f4f0", "e03428", "f0c020", "2c50b0"], ["c8ccd0", "8c2c30", "4c4c50", "2c3c58"]),
    "frame": (["20b0c8", "d82c2c", "2c2c30", "e8a020"], ["3c6470", "7c3438", "202226", "888c90"]),
    "spokes": (["b4a898"], ["6c6e72"]),
    "motorcycle": (["c81e1e", "1e3cb4", "20242a", "e89010"], ["6c2428", "2a3c60", "1c1e22", "50463c"]),
    "crate": (["6c8a4c", "8c5c34"], ["4c5450", "5c4c44"]),
    "bonnet": (["c0c4c8"], ["24282e"]),
}


def hex_colours(codes: list[str]) -> Colours:
    """Colours (N, 3) in [0, 1] of six hexadecimal digits each."""
    return np.array([list(bytes.fromhex(code)) for code in codes], dtype=np.float32) / np.float32(255)


@cache
def _ends() -> dict[str, tuple[Colours, Colours]]:
    """The colours of every role in the source and the target, as many in both: the shorter list is repeated."""
    counts = {role: max(map(len, pair)) for role, pair in _PALETTE.items()}
    return {
        role: (np.resize(hex_colours(source), (counts[role], 3)), np.resize(hex_colours(target), (counts[role], 3)))
        for role, (source, target) in _PALETTE.items()
    }


def palette(shift: float) -> dict[str, Colours]:
    """The colours of every role, ``shift`` of the way from the source's to the target's (at most 1.4 of it)."""
    share = min(shift, 1.4)
    return {role: np.clip(source + share * (target - source), 0, 1) for role, (source, target) in _ends().items()}
