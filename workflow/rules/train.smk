# Settings that change no result are resources, so that changing them retrains nothing: workers, save_every,
# snapshot_every, tensorboard, activation_checkpointing. `mpi: srun` starts a process for every GPU.
# Trainings wait for the checks of all data, and rounds for their gate; neither, when it runs again, is a reason to train.
rule train_source:
    input:
        index="results/{benchmark}/data/source.json",
        checked=ancient(plan.every_index),
        pretrained=ancient(plan.pretrained_weights),
    output:
        checkpoint="results/{benchmark}/source/checkpoint.pt",
        log="results/{benchmark}/source/train.csv",
    log:
        "logs/{benchmark}/source/train.log",
    priority: 1
    conda:
        "../../environment.yml"
    threads: plan.training_threads
    resources:
        gpu=plan.gpus,
        workers=plan.setting("compute.workers"),
        save_every=plan.setting("training.save_every"),
        snapshot_every=plan.setting("training.snapshot_every"),
        tensorboard=plan.setting("training.tensorboard"),
        activation_checkpointing=plan.setting("compute.activation_checkpointing"),
        mem_mb=plan.training_mb,
        runtime=plan.training_minutes,
    params:
        code=plan.code("esl.stages.train"),
        settings=plan.source_training,
        inputs=plan.training_inputs,
        launcher=plan.launcher,
    message:
        "Training the source model of {wildcards.benchmark}"
    shell:
        "{params.launcher}python -m esl.stages.train {params.inputs} --settings {params.settings:q}"
        " --code {params.code} --workers {resources.workers} --save-every {resources.save_every}"
        " --snapshot-every {resources.snapshot_every} --tensorboard {resources.tensorboard:d}"
        " --activation-checkpointing {resources.activation_checkpointing:d}"
        " --devices {resources.gpu} --threads {threads} --output {output.checkpoint} > {log} 2>&1"


use rule train_source as train_adapted with:
    input:
        index="results/{benchmark}/data/source.json",
        target="results/{benchmark}/data/target_train.json",
        checked=ancient(plan.every_index),
        pretrained=ancient(plan.pretrained_weights),
    output:
        checkpoint="results/{benchmark}/{adaptation}/checkpoint.pt",
        log="results/{benchmark}/{adaptation}/train.csv",
    log:
        "logs/{benchmark}/{adaptation}/train.log",
    params:
        settings=plan.adapted_training,
    message:
        "Training the source model of {wildcards.benchmark} with {wildcards.adaptation} on the target"


use rule train_source as train_oracle with:
    input:
        index="results/{benchmark}/data/target_train.json",
        checked=ancient(plan.every_index),
        pretrained=ancient(plan.pretrained_weights),
    output:
        checkpoint="results/{benchmark}/oracle/checkpoint.pt",
        log="results/{benchmark}/oracle/train.csv",
    log:
        "logs/{benchmark}/oracle/train.log",
    params:
        settings=plan.oracle_training,
    message:
        "Training the oracle of {wildcards.benchmark} on target labels: an upper bound, not a result of adaptation"


# The gate is `ancient`: moving its bounds retrains no round.
use rule train_source as train_round with:
    input:
        index="results/{benchmark}/data/source.json",
        target="results/{benchmark}/data/target_train.json",
        pseudo_labels="results/{benchmark}/{round}/pseudo_labels.json",
        initial=plan.initial_weights,
        pretrained=ancient(plan.pretrained_weights_of_rounds),
        gate=ancient(plan.gate),
    output:
        checkpoint="results/{benchmark}/{round}/checkpoint.pt",
        log="results/{benchmark}/{round}/train.csv",
    log:
        "logs/{benchmark}/{round}/train.log",
    params:
        settings=plan.round_training,
    message:
        "Training {wildcards.round} of {wildcards.benchmark}"


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
        gpu=plan.gpus,
        workers=plan.setting("compute.workers"),
        mem_mb=plan.growing(8000),
        runtime=plan.growing(240),
    params:
        code=plan.code("esl.stages.adapt"),
        settings=plan.batch_norm_adaptation,
    message:
        "Adapting the batch norm of the source model of {wildcards.benchmark} to the target images"
    shell:
        "python -m esl.stages.adapt --checkpoint {input.checkpoint} --index {input.index} --settings {params.settings:q}"
        " --workers {resources.workers} --threads {threads} --output {output.checkpoint} > {log} 2>&1"
