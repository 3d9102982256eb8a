# Settings that change no result are resources, so that changing them retrains nothing: workers, save_every,
# snapshot_every, tensorboard, activation_checkpointing. `mpi: srun` starts a process for every GPU.
# Trainings wait for the checks of all data, and rounds for their gate; that one of them runs again is no reason to train.
rule train_source:
    input:
        index="results/{benchmark}/data/source.json",
        checked=ancient(inputs.every_index),
        pretrained=ancient(inputs.pretrained_weights),
    output:
        checkpoint="results/{benchmark}/source/checkpoint.pt",
        log="results/{benchmark}/source/train.csv",
    log:
        "logs/{benchmark}/source/train.log",
    priority: 1
    conda:
        "../../environment.yml"
    threads: needs.training_threads
    resources:
        gpu=needs.gpus,
        workers=needs.setting("compute.workers"),
        save_every=needs.setting("training.save_every"),
        snapshot_every=needs.setting("training.snapshot_every"),
        tensorboard=needs.setting("training.tensorboard"),
        activation_checkpointing=needs.setting("compute.activation_checkpointing"),
        mem_mb=needs.training_mb,
        runtime=needs.training_minutes,
    params:
        code=params.code("esl.stages.train", roots.network),
        settings=params.of_source,
        stage="train",
        inputs=params.flags(
            "index",
            "pseudo_labels",
            "initial",
            "labels",
            "measured",
            target="target_index",
        ),
        launcher=needs.launcher,
    message:
        "Training the source model of {wildcards.benchmark}"
    shell:
        "{params.launcher}python -m esl.stages.{params.stage} {params.inputs} --settings {params.settings:q}"
        " --code {params.code} --workers {resources.workers} --save-every {resources.save_every}"
        " --snapshot-every {resources.snapshot_every} --tensorboard {resources.tensorboard:d}"
        " --activation-checkpointing {resources.activation_checkpointing:d}"
        " --devices {resources.gpu} --threads {threads} --output {output.checkpoint} > {log} 2>&1"


use rule train_source as train_adapted with:
    input:
        index="results/{benchmark}/data/source.json",
        target=ancient("results/{benchmark}/data/target_train.json"),
        checked=ancient(inputs.every_index),
        pretrained=ancient(inputs.pretrained_weights),
    output:
        checkpoint="results/{benchmark}/{adaptation}/checkpoint.pt",
        log="results/{benchmark}/{adaptation}/train.csv",
    log:
        "logs/{benchmark}/{adaptation}/train.log",
    params:
        code=params.code("esl.stages.train", roots.network, roots.term_of_adaptation),
        settings=params.of_adapted,
        images=inputs.image_state("target_train"),
    message:
        "Training the source model of {wildcards.benchmark} with {wildcards.adaptation} on the target"


# It does not train on the labels that scores are measured on.
use rule train_source as train_oracle with:
    input:
        index="results/{benchmark}/data/source.json",
        target="results/{benchmark}/data/target_train.json",
        measured="results/{benchmark}/data/target_val.json",
        initial=inputs.initial_weights_of_oracle,
        checked=ancient(inputs.every_index),
        pretrained=ancient(inputs.pretrained_weights_of_oracle),
    output:
        checkpoint="results/{benchmark}/oracle/checkpoint.pt",
        log="results/{benchmark}/oracle/train.csv",
    log:
        "logs/{benchmark}/oracle/train.log",
    resources:
        gpu=needs.gpus,
        workers=needs.setting("compute.workers"),
        save_every=needs.setting("training.save_every"),
        snapshot_every=needs.setting("training.snapshot_every"),
        tensorboard=needs.setting("training.tensorboard"),
        activation_checkpointing=needs.setting("compute.activation_checkpointing"),
        mem_mb=needs.oracle_mb,
        runtime=needs.oracle_minutes,
    params:
        settings=params.of_oracle,
        stage="train --own-labels",
    message:
        "Training the oracle of {wildcards.benchmark} on all target labels: a ceiling, not a result of adaptation"


# The gate is `ancient`: moving its bounds retrains no round. The manifest is, too, since labels of the target change the
# quality in it: thresholds, and the code that labels by them, say when pseudo-labels are others.
use rule train_source as train_round with:
    input:
        index="results/{benchmark}/data/source.json",
        target=ancient("results/{benchmark}/data/target_train.json"),
        pseudo_labels=ancient("results/{benchmark}/{round}/pseudo_labels.json"),
        thresholds="results/{benchmark}/{round}/thresholds.json",
        initial=inputs.initial_weights,
        labels=inputs.labels_of_round,
        measured=ancient(inputs.measured_of_round),
        pretrained=ancient(inputs.pretrained_weights_of_rounds),
        gate=ancient(inputs.gate),
    output:
        checkpoint="results/{benchmark}/{round}/checkpoint.pt",
        log="results/{benchmark}/{round}/train.csv",
    log:
        "logs/{benchmark}/{round}/train.log",
    threads: needs.round_threads
    resources:
        gpu=needs.gpus,
        workers=needs.setting("compute.workers"),
        save_every=needs.setting("training.save_every"),
        snapshot_every=needs.setting("training.snapshot_every"),
        tensorboard=needs.setting("training.tensorboard"),
        activation_checkpointing=needs.setting("compute.activation_checkpointing"),
        mem_mb=needs.round_mb,
        runtime=needs.round_minutes,
    params:
        code=params.code(
            "esl.stages.train", roots.network_of_round, roots.term_of_round
        ),
        pseudo_labelling=params.code(
            "esl.stages.pseudo_label", roots.method, roots.stored_measures
        ),
        settings=params.of_round,
        images=inputs.image_state("target_train"),
    message:
        "Training {wildcards.round} of {wildcards.benchmark}"


rule adapt:
    input:
        checkpoint="results/{benchmark}/source/checkpoint.pt",
        index=ancient("results/{benchmark}/data/target_train.json"),
    output:
        checkpoint="results/{benchmark}/adapted/checkpoint.pt",
    log:
        "logs/{benchmark}/adapted/adapt.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        gpu=needs.gpus,
        workers=needs.setting("compute.workers"),
        mem_mb=needs.growing(8000),
        runtime=needs.growing(240),
    params:
        code=params.code("esl.stages.adapt", roots.network),
        settings=params.of_batch_norm,
        images=inputs.image_state("target_train"),
    message:
        "Adapting the batch norm of the source model of {wildcards.benchmark} to the target images"
    shell:
        "python -m esl.stages.adapt --checkpoint {input.checkpoint} --index {input.index} --settings {params.settings:q}"
        " --workers {resources.workers} --threads {threads} --output {output.checkpoint} > {log} 2>&1"
