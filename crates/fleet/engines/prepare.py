"""Writes the questions of a data set, with the intruder's session and host in their places.

Called as: prepare.py SOURCE sql|all > QUESTIONS
For "sql" the input of asking.py, for "all" that of ask_shell.py and ask_tool.py.
"""

import json
import pathlib
import subprocess
import sys
import tomllib

# Where the intruder of the made-up story comes from, and when.
ADDRESS = "203.0.113.66"
PARTITION = "events-v1/date=2026-11-16/hour=02"


def intruder(source):
    for path in sorted(pathlib.Path(source, PARTITION).rglob("*.ndjson*")):
        program = {".zst": ["zstd", "-dcq"], ".gz": ["gzip", "-dc"]}.get(path.suffix, ["cat"])
        text = subprocess.run([*program, path], capture_output=True, text=True, check=True).stdout
        for line in text.splitlines():
            if ADDRESS not in line:
                continue
            event = json.loads(line)
            session = event.get("inception_session", {})
            if session.get("source", {}).get("ip") == ADDRESS:
                return session["uuid"], event["host"]["id"]
    sys.exit(f"nobody came from {ADDRESS}: is {source} made by `fleet`?")


def main(source, kind):
    session, host = intruder(source)
    questions = {}
    for path in sorted(pathlib.Path(__file__).parent.parent.joinpath("questions").glob("*.toml")):
        text = path.read_text().replace("{session}", session).replace("{host}", host)
        question = tomllib.loads(text)
        if kind == "sql":
            questions[path.stem] = question["sql"]
        else:
            questions[path.stem] = question
    print(json.dumps(questions, indent=1))


main(*sys.argv[1:])
