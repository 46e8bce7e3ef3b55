"""Rows of Spark, answered in its Python workers, of which executors are killed."""

import os
import shutil
import sys
import threading
from contextlib import suppress

import numpy as np
import pandas as pd
import psutil
import pytest

from bulk.made import frame, texts
from leco import LecoError, load
from leco.spark import predict_udf
from tiny import sentences, text_model

pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'leco[spark]'")
if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
    pytest.skip("Spark needs Java, which is not there", allow_module_level=True)


@pytest.fixture(scope="module")
def spark():
    """A cluster of two executors, each a process of one core; both end with it."""
    from pyspark.sql import SparkSession

    before = dict(os.environ)
    os.environ.update({"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", "OMP_NUM_THREADS": "1"})
    os.environ.update({"SPARK_HOME": str(pyspark.__path__[0]), "PYTHONPATH": os.pathsep.join(sys.path)})
    builder = SparkSession.builder.master("local-cluster[2,1,700]").config("spark.ui.enabled", "false")
    for name, value in {
        "spark.executor.memory": "600m",
        "spark.driver.memory": "600m",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "100",
        "spark.executorEnv.PYTHONPATH": os.environ["PYTHONPATH"],
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
    os.environ.clear()
    os.environ.update(before)


def answers(rows):
    """The answers of some rows, in the order of their ids."""
    return [row["answer"] for row in sorted(rows.collect(), key=lambda row: row["id"])]


def test_a_struct_for_each_row(spark, fitted):
    rows = spark.createDataFrame(frame(), "id long, text string").repartition(3)
    answered = rows.withColumn("answer", predict_udf(str(fitted))("text"))
    assert answered.schema["answer"].dataType.simpleString() == (
        "struct<label:string,score:double,exit_layer:bigint,truncated:boolean>"
    )
    expected = iter(load(fitted).predict([text for text in texts() if text and text.strip()]))
    for text, answer in zip(texts(), answers(answered), strict=True):
        if not text or not text.strip():
            assert answer == (None, None, None, None)
            continue
        one = next(expected)
        assert (answer.label, answer.exit_layer, answer.truncated) == (one.label, one.exit_layer, len(text) > 200)
        assert abs(answer.score - one.scores[one.label]) < 1e-5
    plan = answered._jdf.queryExecution().optimizedPlan().toString()
    assert plan.count("ArrowEvalPython [") == 1, plan
    assert "pythonUDF1" not in plan, "each row is answered once, however many fields are taken"


@pytest.mark.parametrize("problem_type", ["multi_label_classification", "regression"])
def test_labels_that_are_lists_and_values(spark, tokenizer, tmp_path, problem_type):
    model = text_model(tokenizer, layers=2, problem_type=problem_type, outputs=1 if problem_type == "regression" else 3)
    model.save_pretrained(tmp_path / "model")
    given = [text for text in sentences(20) if isinstance(text, str)] + [None]
    rows = spark.createDataFrame(pd.DataFrame({"id": range(len(given)), "text": given}), "id long, text string")
    found = answers(rows.withColumn("answer", predict_udf(str(tmp_path / "model"), scores="all")("text")))
    predictor = load(tmp_path / "model", device="cpu")
    asked = [row for row, text in enumerate(given) if text and text.strip()]
    for row, one in zip(asked, predictor.predict([given[row] for row in asked]), strict=True):
        label = list(one.label) if isinstance(one.label, tuple) else pytest.approx(one.label, abs=1e-5)
        assert found[row].label == label
        np.testing.assert_allclose(found[row].scores, [*one.scores.values()], atol=1e-5)
    assert found[-1] == (None, None, None, None)


def test_pairs(spark, tokenizer, tmp_path):
    model = text_model(tokenizer, layers=2)
    model.save_pretrained(tmp_path / "model")
    given = [text for text in sentences(30) if isinstance(text, tuple)]
    table = pd.DataFrame(given, columns=["a", "b"]).assign(id=range(len(given)))
    rows = spark.createDataFrame(table, "a string, b string, id long")
    found = answers(rows.withColumn("answer", predict_udf(str(tmp_path / "model"), empty="answer")("a", "b")))
    expected = load(tmp_path / "model", device="cpu").predict(given)
    assert [(one.label, one.exit_layer) for one in found] == [(one.label, one.exit_layer) for one in expected]


def executors():
    """The processes of Spark's executors."""
    found = []
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "CoarseGrainedExecutorBackend" in " ".join(one.cmdline()):
                found.append(one)
    return found


def seconds(process):
    """For how long a process has computed."""
    with suppress(psutil.Error):
        return process.cpu_times().user
    return 0


def test_an_executor_that_is_killed_costs_no_row(spark, fitted):
    """It is killed once it has a Python worker with the model in it."""
    number = 4000
    rows = spark.createDataFrame(frame(number), "id long, text string").repartition(8)
    answered = rows.withColumn("answer", predict_udf(str(fitted))("text"))
    killed, before = [], {one.pid: seconds(one) for executor in executors() for one in executor.children(True)}

    def works(one):
        return seconds(one) > before.get(one.pid, 0) + 0.5  # workers are used again

    def kill():
        while not killed and not done.wait(0.01):
            for executor in executors():
                with suppress(psutil.Error):
                    if any(map(works, executor.children(recursive=True))):
                        executor.kill()
                        killed.append(executor.pid)
                        return

    done = threading.Event()
    thread = threading.Thread(target=kill)
    thread.start()
    try:
        found = answered.collect()
    finally:
        done.set()
        thread.join()
    assert killed
    assert sorted(row["id"] for row in found) == list(range(number))
    assert sum(row["answer"].label is None for row in found) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"criterion": "static:layer=9"}, "must be at most 3"),
        ({"scores": "most"}, "scores must be one of label, all"),
        ({"colour": "red"}, "Unknown option 'colour'. Known: batch_size, empty, scores"),
        ({"workers": 7}, r"Unknown option 'workers'\..* Known: batch_size, empty, scores"),
        ({"engine": "ray"}, "Unknown option 'engine'"),
        ({"ray_address": "10.0.0.1:1"}, "Unknown option 'ray_address'"),
        ({"batch_size": 4, "format": "csv"}, "Unknown option 'format'"),
    ],
)
def test_what_is_wrong_is_said_on_the_driver(fitted, options, message):
    with pytest.raises(LecoError, match=message):
        predict_udf(str(fitted), **options)
    with pytest.raises(LecoError, match="pairs of texts, but the model was trained on single"):
        predict_udf(str(fitted))("a", "b")
