rule evaluate:
    input:
        checkpoint="results/{benchmark}/{model}/checkpoint.pt",
        index="results/{benchmark}/data/target_val.json",
        labels=inputs.returned_labels,
    output:
        result="results/{benchmark}/{model}/miou.json",
        confusions="results/{benchmark}/{model}/confusions.npz",
    log:
        "logs/{benchmark}/{model}/evaluate.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=needs.gpus,
        mem_mb=needs.growing(8000),
        runtime=needs.growing(240),
    params:
        code=params.code("esl.stages.evaluate", roots.network_of_model),
        settings=params.of_evaluation,
        stage="evaluate",
        labels=params.flags("labels"),
    message:
        "Evaluating {wildcards.model} of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.{params.stage} --checkpoint {input.checkpoint} --index {input.index}"
        " {params.labels} --settings {params.settings:q} --threads {threads} --output {output.result} > {log} 2>&1"


use rule evaluate as best_snapshot with:
    output:
        result="results/{benchmark}/{model}/best_snapshot.json",
    log:
        "logs/{benchmark}/{model}/best_snapshot.log",
    params:
        code=params.code("esl.stages.best_snapshot", roots.network_of_model),
        stage="best_snapshot",
    message:
        "Choosing among the snapshots of {wildcards.model} of {wildcards.benchmark} by target labels"


use rule evaluate as predict with:
    input:
        checkpoint="results/{benchmark}/{model}/checkpoint.pt",
        index=ancient("results/{benchmark}/data/target_val.json"),
    output:
        result="results/{benchmark}/{model}/predictions.json",
    log:
        "logs/{benchmark}/{model}/predict.log",
    params:
        code=params.code("esl.stages.predict", roots.network_of_model),
        images=inputs.image_state("target_val"),
        stage="predict",
    message:
        "Predicting with {wildcards.model} of {wildcards.benchmark}"


rule summarize:
    input:
        models=inputs.scores,
        confusions=inputs.confusions,
        best=inputs.best_snapshots,
        settings=ancient("results/{benchmark}/settings.json"),
    output:
        miou="results/{benchmark}/miou.json",
        table=report(
            "results/{benchmark}/miou.txt",
            caption="../report/miou.rst",
            category="{benchmark}",
            subcategory="(all models)",
            labels={"figure": "IoU as a text table"},
        ),
    log:
        "logs/{benchmark}/summarize.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(1000),
        runtime=needs.growing(10),
    params:
        code=params.code("esl.stages.summarize"),
        controls=params.controls,
        flags=params.flags("models", "best"),
    message:
        "Summarizing the models of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.summarize --benchmark {wildcards.benchmark} {params.flags} --controls {params.controls:q}"
        " --output {output.miou} --table {output.table} > {log} 2>&1"


rule reproduce:
    input:
        expand("results/{benchmark}/reproduce.json", benchmark=benchmarks.names),
    message:
        "Comparing every benchmark over its seeds"


rule compare_seeds:
    input:
        results=inputs.scores_of_seeds,
        manifests=inputs.manifests_of_seeds,
    output:
        summary="results/{benchmark}/reproduce.json",
        table="results/{benchmark}/reproduce.md",
    log:
        "logs/{benchmark}/reproduce.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(1000),
        runtime=needs.growing(10),
    params:
        code=params.code("esl.stages.reproduce"),
        seeds=params.seeds,
    message:
        "Comparing {wildcards.benchmark} over seeds"
    shell:
        "python -m esl.stages.reproduce --results {input.results} --seeds {params.seeds}"
        " --output {output.summary} --table {output.table} > {log} 2>&1"
