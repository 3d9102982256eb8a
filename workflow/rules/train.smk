TRAINING = flags(
    "network",
    "seed",
    "training.crop",
    "training.min_scale",
    "training.colour",
    "training.blur",
    "training.weight_decay",
    "training.power",
    "training.label_stride",
    "training.log_every",
    "training.save_every",
    "compute.precision",
    "compute.accelerator",
    "compute.workers",
)


rule train_source:
    input:
        index="results/{benchmark}/data/source.json",
        checked=every_index,
    output:
        checkpoint="results/{benchmark}/source/checkpoint.pt",
        log="results/{benchmark}/source/train.csv",
    log:
        "logs/{benchmark}/source/train.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        gpu=gpus,
        mem_mb=16000,
        runtime=7200,
    params:
        code=code("train"),
        training=TRAINING,
        stage=flags(
            "training.source.iterations",
            "training.source.learning_rate",
            "training.source.source_batch",
            size="source.size",
        ),
    message:
        "Training {wildcards.benchmark}'s source model"
    shell:
        "python -m esl.stages.train --index {input.index} {params.training} {params.stage}"
        " --code {params.code} --threads {threads} --output {output.checkpoint} > {log} 2>&1"


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
            "compute.workers",
            size="target.size",
            batch_size="training.source.source_batch",
        ),
    message:
        "Adapting the batch norm of {wildcards.benchmark}'s source model to the target pictures"
    shell:
        "python -m esl.stages.adapt --checkpoint {input.checkpoint} --index {input.index} {params.settings}"
        " --threads {threads} --output {output.checkpoint} > {log} 2>&1"


rule train_oracle:
    input:
        index="results/{benchmark}/data/target_train.json",
        checked=every_index,
    output:
        checkpoint="results/{benchmark}/oracle/checkpoint.pt",
        log="results/{benchmark}/oracle/train.csv",
    log:
        "logs/{benchmark}/oracle/train.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        gpu=gpus,
        mem_mb=16000,
        runtime=7200,
    params:
        code=code("train"),
        training=TRAINING,
        stage=flags(
            "training.source.iterations",
            "training.source.learning_rate",
            "training.source.source_batch",
            size="target.size",
        ),
    message:
        "Training {wildcards.benchmark}'s oracle, on target labels: the ceiling, never a result of adaptation"
    shell:
        "python -m esl.stages.train --index {input.index} {params.training} {params.stage}"
        " --code {params.code} --threads {threads} --output {output.checkpoint} > {log} 2>&1"


rule train_round:
    input:
        index="results/{benchmark}/data/source.json",
        target="results/{benchmark}/data/target_train.json",
        pseudo_labels="results/{benchmark}/{round}/pseudo_labels.json",
        initial=initial_checkpoint,
    output:
        checkpoint="results/{benchmark}/{round}/checkpoint.pt",
        log="results/{benchmark}/{round}/train.csv",
    log:
        "logs/{benchmark}/{round}/train.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        gpu=gpus,
        mem_mb=16000,
        runtime=7200,
    params:
        code=code("train"),
        training=TRAINING,
        stage=flags(
            "training.round.iterations",
            "training.round.learning_rate",
            "training.round.source_batch",
            "training.round.target_batch",
            "training.round.pseudo_label_weight",
            "training.round.batch_norm",
            size="source.size",
            target_size="target.size",
        ),
    message:
        "Training {wildcards.benchmark}'s {wildcards.round}"
    shell:
        "python -m esl.stages.train --index {input.index} --target-index {input.target}"
        " --pseudo-labels {input.pseudo_labels} --initial {input.initial} {params.training} {params.stage}"
        " --code {params.code} --threads {threads} --output {output.checkpoint} > {log} 2>&1"
