"""Entropy-guided self-training for domain-adaptive semantic segmentation."""
