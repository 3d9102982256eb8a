rule render:
    output:
        manifest="data/miniature/{seed}/{layout}.json",
    log:
        "logs/render/{seed}_{layout}.log",
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("miniature.data_set"),
        settings=rendered(config["miniature"]),
    message:
        "Rendering the miniature's {wildcards.layout} of seed {wildcards.seed}"
    shell:
        "python -m miniature.data_set --root data/miniature/{wildcards.seed}/{wildcards.layout} --layout {wildcards.layout}"
        " --seed {wildcards.seed} {params.settings} --workers {threads} > {log} 2>&1"


rule index:
    input:
        rendering=rendering,
    output:
        index="results/{benchmark}/data/{part}.json",
    log:
        "logs/{benchmark}/index_{part}.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        code=code("index"),
        data=data_split,
    message:
        "Checking every file of {wildcards.benchmark}'s {wildcards.part} data"
    shell:
        "python -m esl.stages.index {params.data} --output {output.index} --workers {threads} > {log} 2>&1"
