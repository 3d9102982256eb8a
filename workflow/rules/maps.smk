rule infer:
    input:
        checkpoint="results/{benchmark}/{model}/checkpoint.pt",
        index="results/{benchmark}/data/target_train.json",
    output:
        maps="results/{benchmark}/{model}/maps/{shard}.h5",
    log:
        "logs/{benchmark}/{model}/infer_{shard}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus,
        mem_mb=8000,
        runtime=720,
    params:
        code=code("infer"),
        settings=flags(
            "compute.precision",
            "compute.accelerator",
            "inference.batch_size",
            "inference.maps",
            size="target.size",
        ),
    message:
        "Inferring maps of {wildcards.benchmark}'s {wildcards.model}, shard {wildcards.shard}"
    shell:
        "python -m esl.stages.infer --checkpoint {input.checkpoint} --index {input.index} --shard {wildcards.shard}"
        " {params.settings} --threads {threads} --output {output.maps} > {log} 2>&1"
