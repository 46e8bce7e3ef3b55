"""Results of experiments, where it does not matter which."""

RESULTS = {
    "metric": "accuracy",
    "rows": {"train": 20, "dev": 4, "test": 4},
    "dev": [0.5, 0.75],
    "test": [0.5, 1.0],
    "avg": 0.75,
    "best": 1.0,
    "exit_parameters": [8, 8],
    "minutes": 1.5,
    "cpu_minutes": 1.25,
    "epochs": [{}],
    "architectures": [{}, {}],
    "history": {},
    "evaluation": {},
}


def results_of(experiment):
    """What a record of the experiment has, with values of two exits."""
    return {name: RESULTS[name] for name in experiment.results}
