# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_forebear_global_optspecs
    string join \n h/help V/version
end

function __fish_forebear_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_forebear_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_forebear_using_subcommand
    set -l cmd (__fish_forebear_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c forebear -n "__fish_forebear_needs_command" -s h -l help -d 'Print help'
complete -c forebear -n "__fish_forebear_needs_command" -s V -l version -d 'Print version'
complete -c forebear -n "__fish_forebear_needs_command" -f -a "replay" -d 'Runs a recorded trace of observations through the process model again'
complete -c forebear -n "__fish_forebear_needs_command" -f -a "schema" -d 'Prints the JSON Schema of the events, or another description of their fields'
complete -c forebear -n "__fish_forebear_needs_command" -f -a "verify" -d 'Walks what is in a bucket or folder, and says what is missing, altered, doubled or out of order'
complete -c forebear -n "__fish_forebear_needs_command" -f -a "query" -d 'Asks recordings: who ran what, where, when, behind whom'
complete -c forebear -n "__fish_forebear_needs_command" -f -a "sessions" -d 'Lists the sessions: who came in, how, from where, and how much they ran'
complete -c forebear -n "__fish_forebear_needs_command" -f -a "tree" -d 'Draws what ran in one session as a tree'
complete -c forebear -n "__fish_forebear_needs_command" -f -a "compact" -d 'Makes columns of recordings, which are asked faster'
complete -c forebear -n "__fish_forebear_needs_command" -f -a "completions" -d 'Prints a shell\'s completions'
complete -c forebear -n "__fish_forebear_needs_command" -f -a "reference" -d 'Prints what the documentation is generated from'
complete -c forebear -n "__fish_forebear_using_subcommand replay" -l output -d 'Where to write: a file, which is overwritten, or - for standard output' -r -F
complete -c forebear -n "__fish_forebear_using_subcommand replay" -l format -d 'How to write. Without it: `pretty` to a terminal, else `ndjson`' -r -f -a "ndjson\t'One JSON object a line'
pretty\t'One readable line an event, for people'"
complete -c forebear -n "__fish_forebear_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c forebear -n "__fish_forebear_using_subcommand schema" -l ddl -d 'Tables and views over a bucket, for an engine' -r -f -a "duckdb\t'DuckDB'
clickhouse\t'ClickHouse'
spark\t'Apache Spark'
athena\t'Amazon Athena'
bigquery\t'Google BigQuery'"
complete -c forebear -n "__fish_forebear_using_subcommand schema" -l fields -d 'Every field in a line: path, type, since which version, meaning; separated by tabs'
complete -c forebear -n "__fish_forebear_using_subcommand schema" -l samples -d 'One sample event of each type and for each notable case, one a line'
complete -c forebear -n "__fish_forebear_using_subcommand schema" -l markdown -d 'The field reference in Markdown'
complete -c forebear -n "__fish_forebear_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c forebear -n "__fish_forebear_using_subcommand verify" -l endpoint -d 'Where the service answers, if not at its cloud\'s usual address' -r
complete -c forebear -n "__fish_forebear_using_subcommand verify" -l region -d 'The region of the bucket (S3)' -r
complete -c forebear -n "__fish_forebear_using_subcommand verify" -l since -d 'Only objects with events from this time on, such as 2026-11-24T00:00:00Z' -r
complete -c forebear -n "__fish_forebear_using_subcommand verify" -l until -d 'Only objects with events before this time' -r
complete -c forebear -n "__fish_forebear_using_subcommand verify" -l host -d 'Only this host, by its id; may be given several times' -r
complete -c forebear -n "__fish_forebear_using_subcommand verify" -l allow-http -d 'Accepts an endpoint without TLS'
complete -c forebear -n "__fish_forebear_using_subcommand verify" -l anonymous -d 'Sends no credentials'
complete -c forebear -n "__fish_forebear_using_subcommand verify" -l no-contents -d 'Does not read the objects, only their manifests, names and sizes'
complete -c forebear -n "__fish_forebear_using_subcommand verify" -l json -d 'As one JSON object'
complete -c forebear -n "__fish_forebear_using_subcommand verify" -s h -l help -d 'Print help'
complete -c forebear -n "__fish_forebear_using_subcommand query" -l endpoint -d 'Where the service answers, if not at its cloud\'s usual address' -r
complete -c forebear -n "__fish_forebear_using_subcommand query" -l region -d 'The region of the bucket (S3)' -r
complete -c forebear -n "__fish_forebear_using_subcommand query" -l since -d 'Only events from this time on, as CQL writes times: 2026-11-24, \'2 hours ago\', yesterday' -r
complete -c forebear -n "__fish_forebear_using_subcommand query" -l until -d 'Only events before this time' -r
complete -c forebear -n "__fish_forebear_using_subcommand query" -l zone -d 'The zone of days and hours: a name such as Europe/Berlin, or an offset such as +09:00' -r
complete -c forebear -n "__fish_forebear_using_subcommand query" -l memory -d 'The memory for sorting, grouping and joining, in MiB; what does not fit goes to disk' -r
complete -c forebear -n "__fish_forebear_using_subcommand query" -l macros -d 'Takes saved queries from this file, for macro_NAME = \'true\' in QUERY' -r -F
complete -c forebear -n "__fish_forebear_using_subcommand query" -l format -d 'How to print. Without it: `table` to a terminal, else `ndjson`' -r -f -a "table\t'For people; events in few words'
ndjson\t'One JSON object a line; events as they were written'
csv\t'Comma-separated values with a line of headings; events in few words'
parquet\t'A Parquet file; events with all their columns. Not to a terminal'"
complete -c forebear -n "__fish_forebear_using_subcommand query" -l limit -d 'Prints as many rows at most' -r
complete -c forebear -n "__fish_forebear_using_subcommand query" -l allow-http -d 'Accepts an endpoint without TLS'
complete -c forebear -n "__fish_forebear_using_subcommand query" -l anonymous -d 'Sends no credentials'
complete -c forebear -n "__fish_forebear_using_subcommand query" -l sql -d 'Takes QUERY as SQL over the table events and the views commands, sessions, processes and hosts'
complete -c forebear -n "__fish_forebear_using_subcommand query" -l count -d 'Prints only how many rows there are'
complete -c forebear -n "__fish_forebear_using_subcommand query" -l explain -d 'Prints how the answer would be found: the query as SQL, and the plan. Places are listed, and nothing is opened'
complete -c forebear -n "__fish_forebear_using_subcommand query" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l endpoint -d 'Where the service answers, if not at its cloud\'s usual address' -r
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l region -d 'The region of the bucket (S3)' -r
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l since -d 'Only events from this time on, as CQL writes times: 2026-11-24, \'2 hours ago\', yesterday' -r
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l until -d 'Only events before this time' -r
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l zone -d 'The zone of days and hours: a name such as Europe/Berlin, or an offset such as +09:00' -r
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l memory -d 'The memory for sorting, grouping and joining, in MiB; what does not fit goes to disk' -r
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l format -d 'How to print. Without it: `table` to a terminal, else `ndjson`' -r -f -a "table\t'For people; events in few words'
ndjson\t'One JSON object a line; events as they were written'
csv\t'Comma-separated values with a line of headings; events in few words'
parquet\t'A Parquet file; events with all their columns. Not to a terminal'"
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l allow-http -d 'Accepts an endpoint without TLS'
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l anonymous -d 'Sends no credentials'
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -l all -d 'Services too, not only who came in from outside'
complete -c forebear -n "__fish_forebear_using_subcommand sessions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c forebear -n "__fish_forebear_using_subcommand tree" -l endpoint -d 'Where the service answers, if not at its cloud\'s usual address' -r
complete -c forebear -n "__fish_forebear_using_subcommand tree" -l region -d 'The region of the bucket (S3)' -r
complete -c forebear -n "__fish_forebear_using_subcommand tree" -l since -d 'Only events from this time on, as CQL writes times: 2026-11-24, \'2 hours ago\', yesterday' -r
complete -c forebear -n "__fish_forebear_using_subcommand tree" -l until -d 'Only events before this time' -r
complete -c forebear -n "__fish_forebear_using_subcommand tree" -l zone -d 'The zone of days and hours: a name such as Europe/Berlin, or an offset such as +09:00' -r
complete -c forebear -n "__fish_forebear_using_subcommand tree" -l memory -d 'The memory for sorting, grouping and joining, in MiB; what does not fit goes to disk' -r
complete -c forebear -n "__fish_forebear_using_subcommand tree" -l allow-http -d 'Accepts an endpoint without TLS'
complete -c forebear -n "__fish_forebear_using_subcommand tree" -l anonymous -d 'Sends no credentials'
complete -c forebear -n "__fish_forebear_using_subcommand tree" -s h -l help -d 'Print help'
complete -c forebear -n "__fish_forebear_using_subcommand compact" -l endpoint -d 'Where the service answers, if not at its cloud\'s usual address' -r
complete -c forebear -n "__fish_forebear_using_subcommand compact" -l region -d 'The region of the bucket (S3)' -r
complete -c forebear -n "__fish_forebear_using_subcommand compact" -l allow-http -d 'Accepts an endpoint without TLS'
complete -c forebear -n "__fish_forebear_using_subcommand compact" -l anonymous -d 'Sends no credentials'
complete -c forebear -n "__fish_forebear_using_subcommand compact" -l remove-source -d 'Removes the objects of lines that are in columns, after the comparison. Their manifests stay, and `forebear verify` then misses the objects'
complete -c forebear -n "__fish_forebear_using_subcommand compact" -s h -l help -d 'Print help'
complete -c forebear -n "__fish_forebear_using_subcommand completions" -s h -l help -d 'Print help'
complete -c forebear -n "__fish_forebear_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands" -s h -l help -d 'Print help'
complete -c forebear -n "__fish_forebear_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands" -f -a "markdown" -d 'All subcommands, arguments and exit codes in Markdown'
complete -c forebear -n "__fish_forebear_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands" -f -a "man" -d 'A man page in roff'
complete -c forebear -n "__fish_forebear_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands" -f -a "completions" -d 'A shell\'s completions'
complete -c forebear -n "__fish_forebear_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands" -f -a "subcommands" -d 'The names of the subcommands, one a line'
complete -c forebear -n "__fish_forebear_using_subcommand reference; and __fish_seen_subcommand_from markdown" -s h -l help -d 'Print help'
complete -c forebear -n "__fish_forebear_using_subcommand reference; and __fish_seen_subcommand_from man" -s h -l help -d 'Print help'
complete -c forebear -n "__fish_forebear_using_subcommand reference; and __fish_seen_subcommand_from completions" -s h -l help -d 'Print help'
complete -c forebear -n "__fish_forebear_using_subcommand reference; and __fish_seen_subcommand_from subcommands" -s h -l help -d 'Print help'
