# The workflow with everything that its rules need, esl among it; docs/cluster.md shows how it is run.
FROM debian:12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make python3-venv \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /opt/esl
# The packages first: they are installed again only when what the project needs changes.
COPY pyproject.toml constraints.txt README.md ./
COPY esl/__init__.py esl/
COPY miniature/__init__.py miniature/
RUN python3 -m venv /opt/venv \
    && pip install --no-cache-dir --constraint constraints.txt --editable '.[networks,export,slurm]'
COPY . .
CMD ["snakemake", "--help"]
