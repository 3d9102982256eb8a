rule evaluate:
    message:
        "Evaluating {wildcards.benchmark}'s {wildcards.model}"
    input:
        checkpoint="results/{benchmark}/{model}/checkpoint.pt",
        index="results/{benchmark}/data/target_val.json",
    output:
        miou="results/{benchmark}/{model}/miou.json",
    params:
        code=code("evaluate"),
        settings=flags("compute.precision", "compute.accelerator", "inference.batch_size", size="target.size"),
        data=data_name,
    log:
        "logs/{benchmark}/{model}/evaluate.log",
    threads: 1
    resources:
        gpu=gpus,
        mem_mb=8000,
        runtime=240,
    shell:
        "python -m esl.stages.evaluate --checkpoint {input.checkpoint} --index {input.index} {params.settings}"
        " {params.data} --threads {threads} --output {output.miou} > {log} 2>&1"


rule summarize:
    message:
        "Bringing {wildcards.benchmark}'s models side by side"
    input:
        models=lambda wildcards: expand("results/{{benchmark}}/{model}/miou.json", model=models(wildcards)),
    output:
        miou="results/{benchmark}/miou.json",
        table="results/{benchmark}/miou.txt",
    params:
        code=code("summarize"),
    log:
        "logs/{benchmark}/summarize.log",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m esl.stages.summarize --benchmark {wildcards.benchmark} --models {input.models}"
        " --output {output.miou} --table {output.table} > {log} 2>&1"
