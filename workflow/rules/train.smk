TRAINING = flags(
    "network",
    "seed",
    "training.crop",
    "training.min_scale",
    "training.colour",
    "training.blur",
    "training.flip",
    "training.optimizer",
    "training.momentum",
    "training.weight_decay",
    "training.power",
    "training.auxiliary_weight",
    "training.accumulate",
    "training.label_stride",
    "training.log_every",
    "compute.precision",
    "compute.accelerator",
    "compute.compile",
)
# How a training runs: what changes no result, and so is no reason to train again, stands among the resources.
RUNNING = (
    " --code {params.code} --workers {resources.workers} --save-every {resources.save_every}"
    " --snapshot-every {resources.snapshot_every} --activation-checkpointing {resources.activation_checkpointing:d}"
    " --devices {resources.gpu} --threads {threads} --output {output.checkpoint} > {log} 2>&1"
)


rule train_source:
    input:
        index="results/{benchmark}/data/source.json",
        checked=every_index,
        pretrained=pretrained_weights,
    output:
        checkpoint="results/{benchmark}/source/checkpoint.pt",
        log="results/{benchmark}/source/train.csv",
    log:
        "logs/{benchmark}/source/train.log",
    conda:
        "../../environment.yml"
    threads: processors
    resources:
        gpu=gpus,
        workers=setting("compute.workers"),
        save_every=setting("training.save_every"),
        snapshot_every=setting("training.snapshot_every"),
        activation_checkpointing=setting("compute.activation_checkpointing"),
        mem_mb=16000,
        runtime=7200,
    params:
        code=code("train"),
        training=TRAINING,
        stage=flags(
            "training.source.iterations",
            "training.source.schedule",
            "training.source.learning_rate",
            "training.source.source_batch",
            size="source.size",
        ),
        start=start,
        launcher=launcher,
    message:
        "Training {wildcards.benchmark}'s source model"
    shell:
        "{params.launcher}python -m esl.stages.train --index {input.index} {params.start} {params.training} {params.stage}"
        + RUNNING


rule train_adapted:
    input:
        index="results/{benchmark}/data/source.json",
        target="results/{benchmark}/data/target_train.json",
        checked=every_index,
        pretrained=pretrained_weights,
    output:
        checkpoint="results/{benchmark}/{adaptation}/checkpoint.pt",
        log="results/{benchmark}/{adaptation}/train.csv",
    log:
        "logs/{benchmark}/{adaptation}/train.log",
    conda:
        "../../environment.yml"
    threads: processors
    resources:
        gpu=gpus,
        workers=setting("compute.workers"),
        save_every=setting("training.save_every"),
        snapshot_every=setting("training.snapshot_every"),
        activation_checkpointing=setting("compute.activation_checkpointing"),
        mem_mb=16000,
        runtime=7200,
    params:
        code=code("train"),
        training=TRAINING,
        adversary=adversary,
        stage=flags(
            "training.source.iterations",
            "training.source.schedule",
            "training.source.learning_rate",
            "training.source.source_batch",
            "training.source.target_batch",
            "training.source.batch_norm",
            size="source.size",
            target_size="target.size",
        ),
        start=start,
        launcher=launcher,
    message:
        "Training {wildcards.benchmark}'s source model with {wildcards.adaptation} on the target"
    shell:
        "{params.launcher}python -m esl.stages.train --index {input.index} --target-index {input.target} {params.start}"
        " --adaptation {wildcards.adaptation} {params.training} {params.adversary} {params.stage}"
        + RUNNING


rule adapt:
    input:
        checkpoint="results/{benchmark}/source/checkpoint.pt",
        index="results/{benchmark}/data/target_train.json",
    output:
        checkpoint="results/{benchmark}/adapted/checkpoint.pt",
    log:
        "logs/{benchmark}/adapted/adapt.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        gpu=gpus,
        workers=setting("compute.workers"),
        mem_mb=8000,
        runtime=240,
    params:
        code=code("adapt"),
        settings=flags(
            "seed",
            "training.crop",
            "training.min_scale",
            "compute.precision",
            "compute.accelerator",
            size="target.size",
            batch_size="training.source.source_batch",
        ),
    message:
        "Adapting the batch norm of {wildcards.benchmark}'s source model to the target pictures"
    shell:
        "python -m esl.stages.adapt --checkpoint {input.checkpoint} --index {input.index} {params.settings}"
        " --workers {resources.workers} --threads {threads} --output {output.checkpoint} > {log} 2>&1"


rule train_oracle:
    input:
        index="results/{benchmark}/data/target_train.json",
        checked=every_index,
        pretrained=pretrained_weights,
    output:
        checkpoint="results/{benchmark}/oracle/checkpoint.pt",
        log="results/{benchmark}/oracle/train.csv",
    log:
        "logs/{benchmark}/oracle/train.log",
    conda:
        "../../environment.yml"
    threads: processors
    resources:
        gpu=gpus,
        workers=setting("compute.workers"),
        save_every=setting("training.save_every"),
        snapshot_every=setting("training.snapshot_every"),
        activation_checkpointing=setting("compute.activation_checkpointing"),
        mem_mb=16000,
        runtime=7200,
    params:
        code=code("train"),
        training=TRAINING,
        stage=flags(
            "training.source.iterations",
            "training.source.schedule",
            "training.source.learning_rate",
            "training.source.source_batch",
            size="target.size",
        ),
        start=start,
        launcher=launcher,
    message:
        "Training {wildcards.benchmark}'s oracle, on target labels: the ceiling, never a result of adaptation"
    shell:
        "{params.launcher}python -m esl.stages.train --index {input.index} {params.start} {params.training} {params.stage}"
        + RUNNING


rule train_round:
    input:
        index="results/{benchmark}/data/source.json",
        target="results/{benchmark}/data/target_train.json",
        pseudo_labels="results/{benchmark}/{round}/pseudo_labels.json",
        initial=initial_weights,
        gate=gate,
    output:
        checkpoint="results/{benchmark}/{round}/checkpoint.pt",
        log="results/{benchmark}/{round}/train.csv",
    log:
        "logs/{benchmark}/{round}/train.log",
    conda:
        "../../environment.yml"
    threads: processors
    resources:
        gpu=gpus,
        workers=setting("compute.workers"),
        save_every=setting("training.save_every"),
        snapshot_every=setting("training.snapshot_every"),
        activation_checkpointing=setting("compute.activation_checkpointing"),
        mem_mb=16000,
        runtime=7200,
    params:
        code=code("train"),
        training=TRAINING,
        stage=flags(
            "training.round.iterations",
            "training.round.schedule",
            "training.round.learning_rate",
            "training.round.source_batch",
            "training.round.target_batch",
            "training.round.pseudo_label_weight",
            "training.round.batch_norm",
            "training.round.adaptation",
            size="source.size",
            target_size="target.size",
        ),
        adversary=adversary,
        start=start,
        launcher=launcher,
    message:
        "Training {wildcards.benchmark}'s {wildcards.round}"
    shell:
        "{params.launcher}python -m esl.stages.train --index {input.index} --target-index {input.target}"
        " --pseudo-labels {input.pseudo_labels} {params.start} {params.training} {params.adversary} {params.stage}"
        + RUNNING
