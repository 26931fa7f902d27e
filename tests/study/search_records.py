"""Sweeps of searches that have confirmed their choices."""

import json


def searched(make_run, directory, **trials):
    """The record of a search: ``trials`` per cell, and three runs that confirm the best setting of each."""
    confirmed = []
    for index, (cell, number) in enumerate(trials.items()):
        confirmed.append({"index": index, "values": {"optimizer.learning_rate": "0.2"}, "trials": number})
        for seed in range(1, 4):
            name = f"{directory.name}/confirm/{index}_{cell}_adding_seed{seed}"
            make_run(name, f"cell={cell}", f"seed={seed}", "optimizer.learning_rate=0.2", value=0.1 + 0.01 * seed)
    (directory / "search.json").write_text(json.dumps({"confirmed": confirmed}))
