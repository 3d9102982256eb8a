"""The miniature: street scenes rendered from numbers, in two domains with the same classes.

It lets the workflow run with no data set. ``layouts`` writes it in the on-disk formats of GTA5 and Cityscapes.
"""

from miniature.render import render_street

__all__ = ["render_street"]
