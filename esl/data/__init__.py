"""Datasets on disk: their formats, the index of a split, images and labels as arrays, and streams for training."""
