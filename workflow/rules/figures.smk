# Figures are leaves of the workflow: nothing depends on them. Their captions in a report are in workflow/report/.
rule list_figures:
    input:
        figures=drawings.every_figure,
        miou="results/{benchmark}/miou.json",
    output:
        page="results/{benchmark}/figures.md",
    log:
        "logs/{benchmark}/list_figures.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(500),
        runtime=needs.growing(10),
    params:
        code=params.code("esl.stages.list_figures"),
    message:
        "Listing the figures of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.list_figures --figures {input.figures} --benchmark {wildcards.benchmark}"
        " --output {output.page} > {log} 2>&1"


rule draw_iou:
    input:
        scores="results/{benchmark}/miou.json",
    output:
        image=report(
            "results/{benchmark}/iou.png",
            caption="../report/iou.rst",
            category="{benchmark}",
            subcategory="(all models)",
            labels={"figure": "IoU of each class"},
        ),
    log:
        "logs/{benchmark}/draw_iou.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(1000),
        runtime=needs.growing(10),
    params:
        code=params.code("esl.stages.draw_iou"),
    message:
        "Drawing the scores of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.draw_iou --scores {input.scores} --output {output.image} > {log} 2>&1"


rule draw_training:
    input:
        logs=drawings.logs,
    output:
        image=report(
            "results/{benchmark}/training.png",
            caption="../report/training.rst",
            category="{benchmark}",
            subcategory="(all models)",
            labels={"figure": "Training"},
        ),
    log:
        "logs/{benchmark}/draw_training.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(1000),
        runtime=needs.growing(10),
    params:
        code=params.code("esl.stages.draw_training"),
    message:
        "Drawing the trainings of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.draw_training --logs {input.logs} --benchmark {wildcards.benchmark}"
        " --output {output.image} > {log} 2>&1"


rule draw_confusion:
    input:
        scores="results/{benchmark}/{model}/miou.json",
    output:
        image=report(
            "results/{benchmark}/{model}/confusion.png",
            caption="../report/confusion.rst",
            category="{benchmark}",
            subcategory="{model}",
            labels={"figure": "Confusion"},
        ),
    log:
        "logs/{benchmark}/{model}/draw_confusion.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(1000),
        runtime=needs.growing(10),
    params:
        code=params.code("esl.stages.draw_confusion"),
    message:
        "Drawing the confusion of {wildcards.model} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.draw_confusion --scores {input.scores} --output {output.image} > {log} 2>&1"


rule draw_thresholds:
    input:
        maps=inputs.teacher_maps,
        thresholds="results/{benchmark}/{round}/thresholds.json",
    output:
        image=report(
            "results/{benchmark}/{round}/thresholds.png",
            caption="../report/thresholds.rst",
            category="{benchmark}",
            subcategory="{round}",
            labels={"figure": "Thresholds"},
        ),
    log:
        "logs/{benchmark}/{round}/draw_thresholds.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(30),
    params:
        code=params.code("esl.stages.draw_thresholds", roots.cut_measure),
    message:
        "Drawing the thresholds of {wildcards.round} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.draw_thresholds --maps {input.maps} --thresholds {input.thresholds}"
        " --output {output.image} > {log} 2>&1"


rule draw_risk_coverage:
    input:
        maps=drawings.maps,
        index="results/{benchmark}/data/target_train.json",
        rounds=drawings.manifests_taught,
        thresholds=drawings.thresholds_taught,
    output:
        image=report(
            "results/{benchmark}/{model}/risk_coverage.png",
            caption="../report/risk_coverage.rst",
            category="{benchmark}",
            subcategory="{model}",
            labels={"figure": "Risk against coverage"},
        ),
    log:
        "logs/{benchmark}/{model}/draw_risk_coverage.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(120),
    params:
        code=params.code("esl.stages.draw_risk_coverage", roots.stored_measures),
    message:
        "Drawing risk against coverage of {wildcards.model} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.draw_risk_coverage --maps {input.maps} --index {input.index} --rounds {input.rounds}"
        " --output {output.image} > {log} 2>&1"


rule draw_gallery:
    input:
        maps=inputs.teacher_maps,
        thresholds="results/{benchmark}/{round}/thresholds.json",
        manifest="results/{benchmark}/{round}/pseudo_labels.json",
        before=drawings.manifest_before,
        index="results/{benchmark}/data/target_train.json",
    output:
        image=report(
            "results/{benchmark}/{round}/gallery.png",
            caption="../report/gallery.rst",
            category="{benchmark}",
            subcategory="{round}",
            labels={"figure": "Gallery"},
        ),
    log:
        "logs/{benchmark}/{round}/draw_gallery.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(60),
    params:
        code=params.code("esl.stages.draw_gallery", roots.cut_measure),
        before=drawings.before_flag,
    message:
        "Drawing images of {wildcards.round} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.draw_gallery --maps {input.maps} --thresholds {input.thresholds} --manifest {input.manifest}"
        " {params.before} --index {input.index} --threads {threads} --output {output.image} > {log} 2>&1"


rule figures:
    input:
        manifests=inputs.manifests,
        index="results/{benchmark}/data/target_train.json",
    output:
        image=report(
            "results/{benchmark}/pseudo_labels.png",
            caption="../report/pseudo_labels.rst",
            category="{benchmark}",
            subcategory="(all models)",
            labels={"figure": "Pseudo-labels"},
        ),
    log:
        "logs/{benchmark}/figures.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(1000),
        runtime=needs.growing(10),
    params:
        code=params.code("esl.stages.figures"),
    message:
        "Drawing the pseudo-labels of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.figures --manifests {input.manifests} --index {input.index} --output {output.image}"
        " > {log} 2>&1"


use rule figures as draw_predictions with:
    input:
        manifests=inputs.predictions,
        index="results/{benchmark}/data/target_val.json",
    output:
        image=report(
            "results/{benchmark}/predictions.png",
            caption="../report/predictions.rst",
            category="{benchmark}",
            subcategory="(all models)",
            labels={"figure": "Predictions"},
        ),
    log:
        "logs/{benchmark}/draw_predictions.log",
    message:
        "Drawing the predictions of {wildcards.benchmark}"
