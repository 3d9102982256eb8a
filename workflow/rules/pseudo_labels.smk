rule threshold:
    input:
        maps=teacher_maps,
    output:
        thresholds="results/{benchmark}/{round}/thresholds.json",
    log:
        "logs/{benchmark}/{round}/threshold.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("threshold"),
        selection=selection,
    message:
        "Choosing thresholds for {wildcards.benchmark}'s {wildcards.round}"
    shell:
        "python -m esl.stages.threshold --maps {input.maps} {params.selection} --output {output.thresholds} > {log} 2>&1"


rule gate:
    input:
        thresholds="results/{benchmark}/{round}/thresholds.json",
        before=thresholds_before,
    output:
        gate="results/{benchmark}/{round}/gate.json",
    log:
        "logs/{benchmark}/{round}/gate.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("gate"),
        gate=flags(
            "gate.action",
            "gate.kept_min",
            "gate.kept_max",
            "gate.class_min",
            "gate.entropy_min",
        ),
        before=lambda wildcards: rendered(
            {"before": thresholds_before(wildcards) or None}
        ),
    message:
        "Looking at the teacher of {wildcards.benchmark}'s {wildcards.round}"
    shell:
        "python -m esl.stages.gate --thresholds {input.thresholds} {params.before} {params.gate}"
        " --output {output.gate} > {log} 2>&1"


rule pseudo_label:
    input:
        maps=teacher_maps,
        thresholds="results/{benchmark}/{round}/thresholds.json",
        index="results/{benchmark}/data/target_train.json",
    output:
        manifest="results/{benchmark}/{round}/pseudo_labels.json",
    log:
        "logs/{benchmark}/{round}/pseudo_label.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        code=code("pseudo_label"),
    message:
        "Writing pseudo-labels for {wildcards.benchmark}'s {wildcards.round}"
    shell:
        "python -m esl.stages.pseudo_label --maps {input.maps} --thresholds {input.thresholds} --index {input.index}"
        " --threads {threads} --output {output.manifest} > {log} 2>&1"
