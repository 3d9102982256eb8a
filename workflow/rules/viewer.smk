# The viewer, a page to look at a round's pseudo-labels, is a leaf of the workflow: nothing depends on it.
rule viewer:
    input:
        maps=inputs.teacher_maps,
        thresholds="results/{benchmark}/{round}/thresholds.json",
        manifest="results/{benchmark}/{round}/pseudo_labels.json",
        others=drawings.manifests_compared,
        cuts=drawings.thresholds_compared,
        index="results/{benchmark}/data/target_train.json",
    output:
        page="results/{benchmark}/{round}/viewer.html",
    log:
        "logs/{benchmark}/{round}/viewer.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(60),
    params:
        code=params.code("esl.stages.viewer", roots.stored_measures),
        page=drawings.page_digest,
        flags=params.flags("maps", "thresholds", "manifest", "others", "index"),
    message:
        "Making the viewer of {wildcards.round} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.viewer {params.flags} --threads {threads} --output {output.page} > {log} 2>&1"
