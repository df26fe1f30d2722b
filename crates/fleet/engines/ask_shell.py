"""Asks jq and grep what they can be asked; the output is that of asking.py, without rows.

Called as: ask_shell.py SOURCE QUESTIONS
SOURCE is a folder, QUESTIONS a JSON object by name with "jq" and "grep", each as in the question's
file, where it has one.  "lines" is how many lines came out.
"""

import json
import resource
import shlex
import subprocess
import sys
import time

# Objects as they are: plain, or compressed by zstd or gzip.
READ = (
    "find {source}/events-v1 -name '*.ndjson*' -print0 | xargs -0 -n 200 sh -c '"
    'for f do case "$f" in *.zst) zstd -dcq "$f";; *.gz) gzip -dc "$f";; *) cat "$f";; esac; done'
    "' sh"
)
TOOLS = {"jq": "jq -c {query}", "grep": "grep -c {query}"}


def main(source, file):
    with open(file) as opened:
        questions = json.load(opened)
    for name, question in questions.items():
        for tool, command in TOOLS.items():
            if tool not in question:
                continue
            ask = command.format(query=shlex.quote(question[tool]))
            line = READ.format(source=shlex.quote(source)) + " | " + ask
            line += " | wc -l" if tool == "jq" else ""
            begun = time.monotonic()
            done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
            answer = {"name": name, "tool": tool, "seconds": round(time.monotonic() - begun, 3)}
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
            answer.update(peak_bytes=peak, lines=int(done.stdout or 0))
            print(json.dumps(answer), flush=True)


main(*sys.argv[1:])
