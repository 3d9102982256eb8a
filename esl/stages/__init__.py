"""One module per workflow stage: flags -> read inputs -> call the library -> write outputs.

OpenMP reads its settings when PyTorch is loaded, hence here. Threads that wait for each other spin, by default for so
long that a few trainings on the same cores (``snakemake --cores`` with more than there are) hold each other up by a
factor of ten and more. 10,000 turns cost a training that is alone nothing measurable; none at all would cost a fifth.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "10000")
