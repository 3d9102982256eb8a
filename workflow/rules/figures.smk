# Figures are leaves of the workflow: nothing depends on them. Their captions in a report are in workflow/report/.
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
        mem_mb=needs.growing(2000),
        runtime=needs.growing(120),
    params:
        code=params.code("esl.stages.draw_iou"),
        stage="draw_iou",
        flags=params.flags("scores"),
    message:
        "Drawing the scores of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.{params.stage} {params.flags} --output {output} > {log} 2>&1"


use rule draw_iou as draw_training with:
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
    params:
        code=params.code("esl.stages.draw_training"),
        stage="draw_training --benchmark {benchmark}",
        flags=params.flags("logs"),
    message:
        "Drawing the trainings of {wildcards.benchmark}"


use rule draw_iou as draw_confusion with:
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
    params:
        code=params.code("esl.stages.draw_confusion"),
        stage="draw_confusion",
    message:
        "Drawing the confusion of {wildcards.model} of {wildcards.benchmark}"


use rule draw_iou as draw_thresholds with:
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
    params:
        code=params.code("esl.stages.draw_thresholds", roots.cut_measure),
        stage="draw_thresholds",
        flags=params.flags("maps", "thresholds"),
    message:
        "Drawing the thresholds of {wildcards.round} of {wildcards.benchmark}"


# It reads the thresholds of the rounds next to their manifests.
use rule draw_iou as draw_risk_coverage with:
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
    params:
        code=params.code("esl.stages.draw_risk_coverage", roots.stored_measures),
        stage="draw_risk_coverage",
        flags=params.flags("maps", "index", "rounds"),
    message:
        "Drawing risk against coverage of {wildcards.model} of {wildcards.benchmark}"


use rule draw_iou as draw_gallery with:
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
    params:
        code=params.code("esl.stages.draw_gallery", roots.cut_measure),
        stage="draw_gallery",
        flags=params.flags("maps", "thresholds", "manifest", "before", "index"),
    message:
        "Drawing images of {wildcards.round} of {wildcards.benchmark}"


use rule draw_iou as draw_pseudo_labels with:
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
        "logs/{benchmark}/draw_pseudo_labels.log",
    params:
        code=params.code("esl.stages.figures"),
        stage="figures",
        flags=params.flags("manifests", "index"),
    message:
        "Drawing the pseudo-labels of {wildcards.benchmark}"


use rule draw_pseudo_labels as draw_predictions with:
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


use rule draw_iou as list_figures with:
    input:
        figures=drawings.every_figure,
        miou="results/{benchmark}/miou.json",
    output:
        page="results/{benchmark}/figures.md",
    log:
        "logs/{benchmark}/list_figures.log",
    params:
        code=params.code("esl.stages.list_figures"),
        stage="list_figures --benchmark {benchmark}",
        flags=params.flags("figures"),
    message:
        "Listing the figures of {wildcards.benchmark}"
