"""Asks DuckDB; the input and output are those of asking.py."""

import duckdb

import asking


class Engine:
    def __init__(self, source):
        self.connection = duckdb.connect()
        self.source = source

    def address(self, ddl):
        return ddl.replace("s3://bucket/prefix", self.source)

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
