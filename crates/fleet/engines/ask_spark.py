"""Asks Spark on this machine; the input and output are those of asking.py."""

import os
import sys

from pyspark.sql import SparkSession

import asking


class Engine:
    def __init__(self, source):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.master("local[2]")
        for key, value in {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.session.timeZone": "UTC",
        }.items():
            builder = builder.config(key, value)
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")
        self.source = source

    def address(self, ddl):
        return ddl.replace("s3a://bucket/prefix", self.source)

    def define(self, statement):
        self.spark.sql(statement)

    def rows(self, sql):
        return self.spark.sql(sql).collect()

    def files(self, sql):
        """How many objects are opened, as the scan counts them."""
        frame = self.spark.sql(sql)
        frame.collect()
        plan = frame._jdf.queryExecution().executedPlan()
        return asking.number_after("number of files read:", metrics(plan))

    def keep(self):
        """Reads the lines once for all questions that follow."""
        self.spark.sql("CACHE TABLE commands")


def metrics(plan):
    """The counted files of every scan of a plan, as text."""
    text = ""
    name = plan.getClass().getSimpleName()
    if name == "AdaptiveSparkPlanExec":
        return metrics(plan.executedPlan())
    if name.endswith("QueryStageExec"):
        return metrics(plan.plan())
    found = plan.metrics().get("numFiles")
    if found.isDefined():
        text += f"number of files read: {found.get().value()}\n"
    children = plan.children()
    for index in range(children.size()):
        text += metrics(children.apply(index))
    return text


asking.main(Engine)
