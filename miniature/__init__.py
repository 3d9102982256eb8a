"""The miniature: street scenes rendered from numbers, in two domains with the same classes.

It lets the workflow run without a dataset: ``python -m miniature`` writes it in the on-disk layouts of real ones.
"""
