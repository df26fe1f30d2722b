"""What the runners of all engines have in common.

Called as: ask_ENGINE.py DDL SOURCE QUESTIONS [--files NAME]
DDL is the file of statements, SOURCE the folder or address that takes the bucket's place, QUESTIONS
a JSON object of SQL by name.  Each answer is one line of JSON: name, seconds, peak resident memory
of the process so far in bytes, and rows.  For the question after --files it also says how many
objects were opened.
"""

import argparse
import json
import resource
import re
import time


def main(engine_of):
    parser = argparse.ArgumentParser()
    parser.add_argument("ddl")
    parser.add_argument("source")
    parser.add_argument("questions")
    parser.add_argument("--files")
    given = parser.parse_args()
    engine = engine_of(given.source)
    with open(given.ddl) as file:
        statements = "\n".join(line for line in file.read().split("\n") if not line.startswith("--"))
    for statement in engine.address(statements).split(";\n"):
        if statement.strip():
            engine.define(statement)
    with open(given.questions) as file:
        questions = json.load(file)
    # The question about few objects comes first, before an engine may keep what it has read.
    for name, sql in sorted(questions.items(), key=lambda it: it[0] != given.files):
        begun = time.monotonic()
        rows = [list(row) for row in engine.rows(sql)]
        answer = {"name": name, "seconds": round(time.monotonic() - begun, 3)}
        answer["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answer["rows"] = rows
        if name == given.files:
            answer["files"] = engine.files(sql)
            engine.keep()
        print(json.dumps(answer, default=str), flush=True)


def number_after(words, text):
    found = re.search(re.escape(words) + r"\D*?(\d+)", text)
    return int(found.group(1)) if found else None
