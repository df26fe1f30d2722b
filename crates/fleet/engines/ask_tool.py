"""Asks our own tool; the output is that of asking.py, without rows.

Called as: ask_tool.py PROGRAM SOURCE QUESTIONS
SOURCE is a folder, QUESTIONS a JSON object by name with "sql" and "cql", each as in the question's
file, where it has one.  "lines" is how many lines came out, "files" how many objects are opened.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

# The columns that the generated tables of other engines have, out of our own.
TABLES = pathlib.Path(__file__).with_name("forebear.sql").read_text()


def main(program, source, file):
    with open(file) as opened:
        questions = json.load(opened)
    for name, question in questions.items():
        for language in ("sql", "cql"):
            if language not in question:
                continue
            words = [program, "query", question[language], source]
            if language == "sql":
                words = [program, "query", "--sql", TABLES + question["sql"], source]
            answer = {"name": name, "tool": language, **measured(words)}
            answer["files"] = opens(words)
            print(json.dumps(answer), flush=True)


def measured(words):
    begun = time.monotonic()
    child = subprocess.Popen([*words, "--format", "ndjson"], stdout=subprocess.PIPE)
    lines = sum(block.count(b"\n") for block in iter(lambda: child.stdout.read(1 << 16), b""))
    _, status, used = os.wait4(child.pid, 0)
    seconds = round(time.monotonic() - begun, 3)
    # 1 says that nothing was found.
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"{words[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return {"seconds": seconds, "peak_bytes": used.ru_maxrss * 1024, "lines": lines}


def opens(words):
    plan = subprocess.run([*words, "--explain"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"; (\d+) to read", plan).group(1))


main(*sys.argv[1:])
