# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_forebear_agent_global_optspecs
    string join \n h/help V/version
end

function __fish_forebear_agent_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_forebear_agent_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_forebear_agent_using_subcommand
    set -l cmd (__fish_forebear_agent_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c forebear-agent -n "__fish_forebear_agent_needs_command" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_needs_command" -s V -l version -d 'Print version'
complete -c forebear-agent -n "__fish_forebear_agent_needs_command" -f -a "record" -d 'Records until a signal: every program that runs, and what was already running'
complete -c forebear-agent -n "__fish_forebear_agent_needs_command" -f -a "run" -d 'The service: records into a spool, and uploads from there to every destination'
complete -c forebear-agent -n "__fish_forebear_agent_needs_command" -f -a "status" -d 'Asks the running service how it goes'
complete -c forebear-agent -n "__fish_forebear_agent_needs_command" -f -a "users" -d 'Who may log in as themselves: accounts, their roles, and what they prove it with'
complete -c forebear-agent -n "__fish_forebear_agent_needs_command" -f -a "snapshot" -d 'Writes what runs now as BACKFILL events, and ends. Needs no privileges'
complete -c forebear-agent -n "__fish_forebear_agent_needs_command" -f -a "doctor" -d 'Tells what this kernel and these privileges allow, what is missing and how to get it'
complete -c forebear-agent -n "__fish_forebear_agent_needs_command" -f -a "reference" -d 'Prints what the documentation is generated from'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l output -d 'Where to write: a file, or - for standard output. A new file is readable by its owner only; an existing one is appended to' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l format -d 'How to write. Without it: `pretty` if standard output is a terminal and --output is not given, else `ndjson`' -r -f -a "ndjson\t'One JSON object a line'
pretty\t'One readable line an event, for people'"
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l mode -d '`audit` records programs; `control` records builtins of shells and the lines that people type at them too, by probes on the shells themselves, or builtins by their effects' -r -f -a "audit\t'Programs'
control\t'Programs and shell builtins'"
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l builtins -d 'With mode `control`: `interactive` records the builtins of shells on a terminal, `all` those of every shell, and a list such as cd,export,source these of every shell. `interactive` leaves out `:`, `true` and `false` where a probe on them would make scripts slow' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l shells -d 'With mode `control`: only shells whose file is one of these or lies below one, such as /usr/bin,/opt/bin/bash. Without it every shell' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l sensor -d 'Where observations come from. `auto` takes the best that this machine has' -r -f -a "auto\t'The best that this machine has'
ebpf\t'Programs in the kernel'"
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l duration -d 'Ends after this time, counted from when it is ready; for example 10s, 5m, 2h' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l filter -d 'Writes only events for which this query is true, and AGENT events, which count the others as `filtered`. Words such as `yesterday` refer to the start, days and hours to UTC' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l buffer-size -d 'The kernel\'s buffer for what has happened and is not yet read: a power of two' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l max-delay -d 'How long an event may wait before it is written. Longer costs the machine less' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l argv-max -d 'How much of a program\'s arguments is recorded; if there is more, the event says so' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l status-interval -d 'How often an AGENT event tells the counters; 0 for only at start, loss and stop' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l label -d 'The operator\'s own words for this host, in every event; may be given several times' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l trace -d 'Also writes every observation to FILE, for `forebear replay`. It is overwritten' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -l no-backfill -d 'Leaves out the BACKFILL events. What runs is known all the same'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand record" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand run" -l config -d 'The configuration. The one that is installed has every option with its default' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand run" -l check -d 'Only checks the configuration and tries every destination: writes, reads back and deletes a probe object'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand run" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand status" -l socket -d 'The socket of the service, where its configuration names another one' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand status" -l json -d 'As one JSON object'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand status" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and not __fish_seen_subcommand_from add list revoke enroll import" -l store -d 'The file of the accounts' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and not __fish_seen_subcommand_from add list revoke enroll import" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and not __fish_seen_subcommand_from add list revoke enroll import" -f -a "add" -d 'Adds an account. It can do nothing before it is enrolled'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and not __fish_seen_subcommand_from add list revoke enroll import" -f -a "list" -d 'Shows the accounts: roles, whether enrolled or revoked, backup codes that are left'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and not __fish_seen_subcommand_from add list revoke enroll import" -f -a "revoke" -d 'Ends an account, and forgets its secret and its backup codes'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and not __fish_seen_subcommand_from add list revoke enroll import" -f -a "enroll" -d 'Makes a secret for the person\'s authenticator app and ten backup codes, and shows them once'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and not __fish_seen_subcommand_from add list revoke enroll import" -f -a "import" -d 'Adds many accounts, or gives them other roles, from a file'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from add" -l role -d 'What the person is, in your own words; in every event, and for policies. May be given several times' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from add" -l store -d 'The file of the accounts' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from list" -l store -d 'The file of the accounts' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from list" -l json -d 'As one JSON object a line'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from revoke" -l store -d 'The file of the accounts' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from revoke" -l unknown -d 'Also if there is no such account: whoever has this address at the provider is refused from then on'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from enroll" -l digits -d 'How long a code is: 6 or 8 digits. Some apps show 6 always' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from enroll" -l store -d 'The file of the accounts' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from enroll" -l sha256 -d 'Codes by SHA-256 instead of SHA-1. Some apps show wrong codes then'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from enroll" -l replace -d 'Enrols an account that is enrolled: its secret and backup codes end'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from enroll" -l stdout -d 'Also if standard output is not a terminal, such as a pipe. Whoever reads it can be this person'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from enroll" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from import" -l store -d 'The file of the accounts' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand users; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand snapshot" -l output -d 'Where to write: a file, or - for standard output. A new file is readable by its owner only; an existing one is appended to' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand snapshot" -l format -d 'How to write. Without it: `pretty` if standard output is a terminal and --output is not given, else `ndjson`' -r -f -a "ndjson\t'One JSON object a line'
pretty\t'One readable line an event, for people'"
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand snapshot" -l label -d 'The operator\'s own words for this host, in every event; may be given several times' -r
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand snapshot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand doctor" -l config -d 'Also checks this configuration of `run` and tries every destination: writes, reads back and deletes a probe object' -r -F
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands config" -l of -d 'Of what' -r -f -a "agent\t'This program'
gate\t'`forebear-gate`'
module\t'`pam_forebear.so`'"
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands config" -f -a "markdown" -d 'All subcommands, arguments and exit codes in Markdown'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands config" -f -a "man" -d 'A man page in roff'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands config" -f -a "completions" -d 'A shell\'s completions'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands config" -f -a "subcommands" -d 'The names of the subcommands, one a line'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and not __fish_seen_subcommand_from markdown man completions subcommands config" -f -a "config" -d 'The configuration of `run` with every option, its meaning and its default'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and __fish_seen_subcommand_from markdown" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and __fish_seen_subcommand_from man" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and __fish_seen_subcommand_from completions" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and __fish_seen_subcommand_from subcommands" -s h -l help -d 'Print help'
complete -c forebear-agent -n "__fish_forebear_agent_using_subcommand reference; and __fish_seen_subcommand_from config" -s h -l help -d 'Print help'
