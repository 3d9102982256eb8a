"""Measurements of the selection engine; ``make bench`` runs them all. Not part of the tests."""
