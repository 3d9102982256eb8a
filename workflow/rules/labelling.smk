# Labels of a few target images, on request: which images to label, and the labels that came back.
rule draw:
    input:
        index="results/{benchmark}/data/target_train.json",
        validation="results/{benchmark}/data/target_val.json",
        pseudo_labels=inputs.drawn_by_pseudo_labels,
        maps=inputs.drawn_by_maps,
    output:
        drawn="results/{benchmark}/label/draw.json",
    log:
        "logs/{benchmark}/draw.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(60),
    params:
        code=params.code("esl.stages.draw", roots.draw),
        settings=params.of_draw,
        flags=params.flags("index", "validation", "pseudo_labels", "maps"),
    message:
        "Drawing target images of {wildcards.benchmark} to label"
    shell:
        "python -m esl.stages.draw {params.flags} --settings {params.settings:q} --output {output.drawn} > {log} 2>&1"


rule label_task:
    input:
        drawn="results/{benchmark}/label/draw.json",
        checkpoint=inputs.checkpoint_before_labels,
        index=ancient("results/{benchmark}/data/target_train.json"),
        validation=ancient("results/{benchmark}/data/target_val.json"),
    output:
        task="results/{benchmark}/label/cvat.zip",
    log:
        "logs/{benchmark}/label_task.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=needs.gpus,
        mem_mb=needs.growing(4000),
        runtime=needs.growing(60),
    params:
        code=params.code("esl.stages.label_task", roots.network_before_labels),
        settings=params.of_label_task,
        images=inputs.image_state("target_train"),
        validation=inputs.image_state("target_val"),
        flags=params.flags(
            "drawn", "checkpoint", index="train_index", validation="val_index"
        ),
    message:
        "Writing a task for CVAT with images of {wildcards.benchmark} to label"
    shell:
        "python -m esl.stages.label_task {params.flags} --settings {params.settings:q} --threads {threads}"
        " --output {output.task} > {log} 2>&1"


rule own_labels:
    input:
        drawn="results/{benchmark}/label/draw.json",
        index="results/{benchmark}/data/target_train.json",
    output:
        labels="results/{benchmark}/label/labels.json",
    log:
        "logs/{benchmark}/own_labels.log",
    wildcard_constraints:
        benchmark=benchmarks.pattern_with_own_labels,
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(60),
    params:
        code=params.code("esl.stages.own_labels"),
    message:
        "Taking labels of drawn images of {wildcards.benchmark} from its dataset"
    shell:
        "python -m esl.stages.own_labels --drawn {input.drawn} --index {input.index}"
        " --output {output.labels} > {log} 2>&1"


# It reads the images' names, sizes and digests, and no other label.
rule labels:
    input:
        index=ancient("results/{benchmark}/data/target_train.json"),
        validation=ancient("results/{benchmark}/data/target_val.json"),
    output:
        labels="results/{benchmark}/label/labels.json",
    log:
        "logs/{benchmark}/labels.log",
    wildcard_constraints:
        benchmark=benchmarks.pattern_with_returned_labels,
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(60),
    params:
        code=params.code("esl.stages.labels", roots.draw_for_scores),
        settings=params.of_labels,
        state=params.state_of_labels,
        images=inputs.image_state("target_train"),
        validation=inputs.image_state("target_val"),
        flags=params.flags(index="train_index", validation="val_index"),
    message:
        "Checking the labels that came back for {wildcards.benchmark}"
    shell:
        "python -m esl.stages.labels {params.flags} --settings {params.settings:q} --output {output.labels} > {log} 2>&1"
