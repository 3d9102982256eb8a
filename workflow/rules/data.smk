rule render:
    message:
        "Rendering the miniature of seed {wildcards.seed}"
    output:
        manifest="data/miniature/{seed}/manifest.json",
    params:
        code=code("render"),
        settings=rendered(config["miniature"]),
    log:
        "logs/render/{seed}.log",
    threads: 8
    resources:
        mem_mb=2000,
        runtime=30,
    shell:
        "python -m esl.stages.render --root data/miniature/{wildcards.seed} --seed {wildcards.seed} {params.settings}"
        " --workers {threads} > {log} 2>&1"


rule index:
    message:
        "Checking every file of {wildcards.benchmark}'s {wildcards.part} data"
    input:
        rendering=rendering,
    output:
        index="results/{benchmark}/data/{part}.json",
    params:
        code=code("index"),
        data=data_split,
    log:
        "logs/{benchmark}/index_{part}.log",
    threads: 2
    resources:
        mem_mb=2000,
        runtime=240,
    shell:
        "python -m esl.stages.index {params.data} --output {output.index} --workers {threads} > {log} 2>&1"
