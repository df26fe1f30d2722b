"""Asks ClickHouse, as the library chdb; the input and output are those of asking.py."""

import json
import os

from chdb import session

import asking


class Engine:
    def __init__(self, source):
        self.session = session.Session()
        self.source = source

    def address(self, ddl):
        if not self.source.startswith("http"):
            return ddl.replace("s3('https://bucket/prefix", "file('" + self.source)
        key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        ddl = ddl.replace("https://bucket/prefix", self.source)
        return ddl.replace("'JSONEachRow'", f"'{key}', '{secret}', 'JSONEachRow'")

    def define(self, statement):
        self.session.query(statement)

    def rows(self, sql):
        return json.loads(self.session.query(sql, "JSONCompact").bytes())["data"]

    def files(self, sql):
        """How many objects are opened, as its own counter says."""
        if self.source.startswith("http"):
            return None
        counter = "SELECT value FROM system.events WHERE event = 'EngineFileLikeReadFiles'"
        before = self.rows(counter)
        self.rows(sql)
        after = self.rows(counter)
        return int(after[0][0]) - int(before[0][0] if before else 0)

    def keep(self):
        """Every question reads the objects."""


asking.main(Engine)
