rule export_cvat:
    input:
        manifest="results/{benchmark}/{round}/pseudo_labels.json",
        maps=inputs.teacher_maps,
        index="results/{benchmark}/data/target_train.json",
    output:
        file="results/{benchmark}/{round}/export/cvat.zip",
    log:
        "logs/{benchmark}/{round}/export_cvat.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(60),
    params:
        code=params.code("esl.stages.export"),
        format="cvat",
        flags=params.flags("manifest", "index", "maps"),
    message:
        "Exporting the pseudo-labels of {wildcards.round} of {wildcards.benchmark} for {params.format}"
    shell:
        "python -m esl.stages.export --format {params.format} {params.flags} --output {output} > {log} 2>&1"


use rule export_cvat as export_fiftyone with:
    output:
        file="results/{benchmark}/{round}/export/fiftyone.zip",
    log:
        "logs/{benchmark}/{round}/export_fiftyone.log",
    params:
        format="fiftyone",


use rule export_cvat as export_coco with:
    output:
        file="results/{benchmark}/{round}/export/coco.json",
    log:
        "logs/{benchmark}/{round}/export_coco.log",
    params:
        format="coco",
