"""The config's `inference` section: read while jobs are planned, by no stage, so an edit here infers nothing again."""

from pydantic import Field

from esl.labels.settings import MapSettings


class InferenceSettings(MapSettings):
    """`inference`: how models run over images."""

    shards: int = Field(2, ge=1, description="Parts of the target training set, each a job and a file of its own.")
    images_per_shard: int | None = Field(
        None,
        ge=1,
        description="The most images of a shard: for large sets, instead of `shards`. Then a job for each shard writes "
        "pseudo-labels, too.",
    )
