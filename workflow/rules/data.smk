rule render:
    output:
        manifest="data/miniature/{seed}/{layout}.json",
    log:
        "logs/render/{seed}_{layout}.log",
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(30),
    params:
        code=params.code("miniature.__main__"),
        settings=params.miniature_settings,
    message:
        "Rendering the miniature in the layout of {wildcards.layout}, seed {wildcards.seed}"
    shell:
        "python -m miniature --root data/miniature/{wildcards.seed}/{wildcards.layout} --layout {wildcards.layout}"
        " --seed {wildcards.seed} --settings {params.settings:q} --workers {threads} > {log} 2>&1"


rule index:
    input:
        rendering=inputs.rendering,
    output:
        index="results/{benchmark}/data/{part}.json",
    log:
        "logs/{benchmark}/index_{part}.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=needs.growing(2000),
        runtime=needs.growing(240),
    params:
        code=params.code("esl.stages.index", roots.dataset),
        settings=params.of_index,
        files=inputs.data_state,
        images=inputs.images_of_part,
    message:
        "Checking every file of the {wildcards.part} data of {wildcards.benchmark}"
    shell:
        "python -m esl.stages.index --settings {params.settings:q} --token {params.files:q}"
        " --image-token {params.images:q} --workers {threads}"
        " --output {output.index} > {log} 2>&1"


rule settings:
    output:
        settings="results/{benchmark}/settings.json",
    log:
        "logs/{benchmark}/settings.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=needs.growing(500),
        runtime=needs.growing(10),
    params:
        settings=params.every_setting,
    message:
        "Writing all settings of {wildcards.benchmark}"
    shell:
        "printf %s {params.settings:q} | python -m json.tool --no-ensure-ascii - {output.settings} > {log} 2>&1"
