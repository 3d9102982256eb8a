rule evaluate:
    input:
        checkpoint="results/{benchmark}/{model}/checkpoint.pt",
        index="results/{benchmark}/data/target_val.json",
    output:
        miou="results/{benchmark}/{model}/miou.json",
    log:
        "logs/{benchmark}/{model}/evaluate.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus,
        mem_mb=8000,
        runtime=240,
    params:
        code=code("evaluate"),
        settings=flags(
            "compute.precision",
            "compute.accelerator",
            "inference.batch_size",
            size="target.size",
        ),
        data=data_name,
    message:
        "Evaluating {wildcards.benchmark}'s {wildcards.model}"
    shell:
        "python -m esl.stages.evaluate --checkpoint {input.checkpoint} --index {input.index} {params.settings}"
        " {params.data} --threads {threads} --output {output.miou} > {log} 2>&1"


rule best_snapshot:
    input:
        checkpoint="results/{benchmark}/{model}/checkpoint.pt",
        index="results/{benchmark}/data/target_val.json",
    output:
        best="results/{benchmark}/{model}/best_snapshot.json",
    log:
        "logs/{benchmark}/{model}/best_snapshot.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus,
        mem_mb=8000,
        runtime=720,
    params:
        code=code("best_snapshot"),
        settings=flags(
            "compute.precision",
            "compute.accelerator",
            "inference.batch_size",
            size="target.size",
        ),
        data=data_name,
    message:
        "Choosing among the snapshots of {wildcards.benchmark}'s {wildcards.model} by target labels"
    shell:
        "python -m esl.stages.best_snapshot --checkpoint {input.checkpoint} --index {input.index} {params.settings}"
        " {params.data} --threads {threads} --output {output.best} > {log} 2>&1"


rule predict:
    input:
        checkpoint="results/{benchmark}/{model}/checkpoint.pt",
        index="results/{benchmark}/data/target_val.json",
    output:
        manifest="results/{benchmark}/{model}/predictions.json",
    log:
        "logs/{benchmark}/{model}/predict.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus,
        mem_mb=8000,
        runtime=240,
    params:
        code=code("predict"),
        settings=flags(
            "compute.precision",
            "compute.accelerator",
            "inference.batch_size",
            size="target.size",
        ),
    message:
        "Predicting with {wildcards.benchmark}'s {wildcards.model}"
    shell:
        "python -m esl.stages.predict --checkpoint {input.checkpoint} --index {input.index} {params.settings}"
        " --threads {threads} --output {output.manifest} > {log} 2>&1"


rule summarize:
    input:
        models=lambda wildcards: expand(
            "results/{{benchmark}}/{model}/miou.json", model=models(wildcards)
        ),
        best=best_snapshots,
    output:
        miou="results/{benchmark}/miou.json",
        table="results/{benchmark}/miou.txt",
    log:
        "logs/{benchmark}/summarize.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("summarize"),
        best=lambda wildcards, input: rendered({"best": list(input.best) or None}),
    message:
        "Bringing {wildcards.benchmark}'s models side by side"
    shell:
        "python -m esl.stages.summarize --benchmark {wildcards.benchmark} --models {input.models} {params.best}"
        " --output {output.miou} --table {output.table} > {log} 2>&1"


rule picture:
    input:
        manifests=every_pseudo_label,
        index="results/{benchmark}/data/target_train.json",
    output:
        picture="results/{benchmark}/pseudo_labels.png",
    log:
        "logs/{benchmark}/picture.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("figures"),
    message:
        "Picturing {wildcards.benchmark}'s pseudo-labels"
    shell:
        "python -m esl.stages.figures --manifests {input.manifests} --index {input.index} --output {output.picture}"
        " > {log} 2>&1"


rule reproduce:
    input:
        expand("results/{benchmark}/reproduce.json", benchmark=config["benchmarks"]),
    message:
        "Every benchmark over its seeds"


rule compare_seeds:
    input:
        results=expand(
            "results/{{benchmark}}-seed{seed}/miou.json", seed=config["reproduce"]
        ),
    output:
        summary="results/{benchmark}/reproduce.json",
        table="results/{benchmark}/reproduce.md",
    log:
        "logs/{benchmark}/reproduce.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("reproduce"),
        seeds=config["reproduce"],
    message:
        "Comparing {wildcards.benchmark} over seeds"
    shell:
        "python -m esl.stages.reproduce --results {input.results} --seeds {params.seeds}"
        " --output {output.summary} --table {output.table} > {log} 2>&1"
