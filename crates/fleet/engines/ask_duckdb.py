"""Asks DuckDB; the input and output are those of asking.py.

A folder that `forebear compact` has made is read as Parquet, in place of the lines that the
generated tables read.
"""

import pathlib
import re

import duckdb

import asking


class Engine:
    def __init__(self, source):
        self.connection = duckdb.connect()
        self.source = source

    def address(self, ddl):
        ddl = ddl.replace("s3://bucket/prefix", self.source)
        if not any(pathlib.Path(self.source).rglob("*.parquet")):
            return ddl
        read = r"read_parquet('\1parquet', filename = true, hive_partitioning = false)"
        return re.sub(r"read_json\('([^']*)ndjson\*'.*?\n  \}\)", read, ddl, flags=re.DOTALL)

    def define(self, statement):
        self.connection.execute(statement)

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def files(self, sql):
        """How many objects are opened, as the plan says."""
        plan = self.connection.execute("EXPLAIN ANALYZE " + sql).fetchall()[0][1]
        return asking.number_after("Total Files Read:", plan)

    def keep(self):
        """Every question reads the objects."""


asking.main(Engine)
