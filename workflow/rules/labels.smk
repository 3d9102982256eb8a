# A job that reads only images takes the index as `ancient` and carries a token of the images: labels that come in later
# infer nothing again. All jobs that rounds wait for have a higher priority than evaluation, so that trainings run side by side.
rule infer:
    input:
        checkpoint="results/{benchmark}/{model}/checkpoint.pt",
        index=ancient("results/{benchmark}/data/target_train.json"),
    output:
        maps="results/{benchmark}/{model}/maps/{shard}.h5",
    log:
        "logs/{benchmark}/{model}/infer_{shard}.log",
    priority: 1
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=needs.gpus,
        mem_mb=needs.growing(8000),
        runtime=needs.growing(720),
    params:
        code=params.code(
            "esl.stages.infer", roots.network_of_model, roots.stored_measures
        ),
        settings=params.of_inference,
        images=inputs.image_state("target_train"),
    message:
        "Inferring maps with {wildcards.model} of {wildcards.benchmark}, shard {wildcards.shard}"
    shell:
        "python -m esl.stages.infer --checkpoint {input.checkpoint} --index {input.index} --shard {wildcards.shard}"
        " --settings {params.settings:q} --threads {threads} --output {output.maps} > {log} 2>&1"


# Maps of plain images and of averaged views, with every measure, to compare them; they are deleted afterwards.
use rule infer as infer_compared with:
    output:
        maps=temp("results/{benchmark}/{model}/confidence/{views}/{shard}.h5"),
    log:
        "logs/{benchmark}/{model}/infer_{views}_{shard}.log",
    params:
        code=params.code(
            "esl.stages.infer", roots.network_of_model, roots.every_measure
        ),
        settings=params.of_compared_inference,
    message:
        "Inferring {wildcards.views} maps with {wildcards.model} of {wildcards.benchmark}, shard {wildcards.shard}"


rule confidence:
    input:
        maps=inputs.compared_maps,
        index="results/{benchmark}/data/target_train.json",
    output:
        summary="results/{benchmark}/{model}/confidence.json",
        table="results/{benchmark}/{model}/confidence.md",
    log:
        "logs/{benchmark}/{model}/confidence.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(4000),
        runtime=needs.growing(240),
    params:
        code=params.code("esl.stages.confidence", roots.every_measure),
    message:
        "Comparing confidence measures of {wildcards.model} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.confidence --maps {input.maps} --index {input.index}"
        " --output {output.summary} --table {output.table} > {log} 2>&1"


rule threshold:
    input:
        maps=inputs.teacher_maps,
    output:
        thresholds="results/{benchmark}/{round}/thresholds.json",
    log:
        "logs/{benchmark}/{round}/threshold.log",
    priority: 1
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(30),
    params:
        code=params.code("esl.stages.threshold", roots.method),
        settings=params.of_thresholds,
    message:
        "Choosing thresholds for {wildcards.round} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.threshold --maps {input.maps} --settings {params.settings:q}"
        " --output {output.thresholds} > {log} 2>&1"


rule gate:
    input:
        thresholds="results/{benchmark}/{round}/thresholds.json",
        previous=inputs.previous_thresholds,
    output:
        gate="results/{benchmark}/{round}/gate.json",
    log:
        "logs/{benchmark}/{round}/gate.log",
    priority: 1
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(1000),
        runtime=needs.growing(10),
    params:
        code=params.code("esl.stages.gate"),
        settings=params.of_gate,
        flags=params.flags("thresholds", "previous"),
    message:
        "Checking the teacher of {wildcards.round} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.gate {params.flags} --settings {params.settings:q}"
        " --output {output.gate} > {log} 2>&1"


rule pseudo_label:
    input:
        maps=inputs.teacher_maps,
        thresholds="results/{benchmark}/{round}/thresholds.json",
        index="results/{benchmark}/data/target_train.json",
    output:
        manifest="results/{benchmark}/{round}/pseudo_labels.json",
    log:
        "logs/{benchmark}/{round}/pseudo_label.log",
    wildcard_constraints:
        benchmark=benchmarks.pattern_labelled_at_once,
    priority: 1
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(4000),
        runtime=needs.growing(240),
    params:
        code=params.code("esl.stages.pseudo_label", roots.method, roots.stored_measures),
        labelled=params.labelled_flag,
    message:
        "Writing pseudo-labels for {wildcards.round} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.pseudo_label --maps {input.maps} --thresholds {input.thresholds} --index {input.index}"
        " {params.labelled} --threads {threads} --output {output.manifest} > {log} 2>&1"


# Pseudo-labels of sets with `images_per_shard`: a job for each shard, and one that joins their output.
rule label_shard:
    input:
        maps=inputs.teacher_shard,
        thresholds="results/{benchmark}/{round}/thresholds.json",
        index="results/{benchmark}/data/target_train.json",
    output:
        labelled=temp("results/{benchmark}/{round}/labelled/{shard}.json"),
    log:
        "logs/{benchmark}/{round}/label_{shard}.log",
    priority: 1
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(4000),
        runtime=needs.growing(60),
    params:
        code=params.code("esl.stages.label_shard", roots.method),
        folder="results/{benchmark}/{round}/pseudo_labels",
    message:
        "Writing pseudo-labels for {wildcards.round} of {wildcards.benchmark}, shard {wildcards.shard}"
    shell:
        "python -m esl.stages.label_shard --maps {input.maps} --thresholds {input.thresholds} --index {input.index}"
        " --threads {threads} --folder {params.folder} --output {output.labelled} > {log} 2>&1"


use rule pseudo_label as join_labelled_shards with:
    input:
        maps=inputs.teacher_maps,
        labelled=inputs.labelled_shards,
        thresholds="results/{benchmark}/{round}/thresholds.json",
        index="results/{benchmark}/data/target_train.json",
    wildcard_constraints:
        benchmark=benchmarks.pattern_labelled_by_shard,
