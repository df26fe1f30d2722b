//! The reference page of the language, in Markdown: prose by hand, every table from the code.

use crate::diagnostic::Code;
use crate::property::{Kind, PROPERTIES, Subject};
use crate::{MAX_COMPARISONS, MAX_DEPTH, MAX_LENGTH, MAX_MACRO_DEPTH, Operator};

const INTRODUCTION: &str = "\
<!-- Generated from crates/query; do not edit. -->
# CQL

A query is a condition on one event.
It is true, false or unknown, and only events on which it is true are an answer.

```text
query      = [ \"where\" ] any
any        = all { \"or\" all }
all        = term { \"and\" term }
term       = \"(\" any \")\" | \"not\" \"(\" any \")\" | comparison
comparison = property operator value
operator   = \"=\" | \"!=\" | \"<\" | \">\" | \"<=\" | \">=\" | \"IN\" | \"NOT IN\"
value      = \"'\" text \"'\" | word
```

- Keywords are written in any case, names of properties as they stand here.
- `and` binds tighter than `or`.
- A quote in a value is written twice: `'it''s'`.
  A value without blanks, quotes, parentheses, `=`, `<` and `>` needs no quotes.
- `IN` and `NOT IN` take one value with commas: `cmd_root IN 'wget,curl'`.
  Blanks around an item are dropped; a comma that belongs to an item is written `[,]`, a blank at its edge `[ ]`.
";

const UNKNOWN: &str = "
## What is not known

A comparison with a property that the event does not have is *unknown*, also with `!=` and `NOT IN`, and `not ( … )` of unknown is unknown.
`and` is false if one side is false, `or` is true if one side is true; otherwise an unknown side makes the whole unknown.
A field that is there only when it is true, such as `exec.setuid`, is therefore never `'false'`.

A list, such as `cmd_roles` or `self.argv`, is compared item by item: `=` and `IN` hold if one item matches, `!=` and `NOT IN` if none does.

A *dual-valued* property stands for two values, of the last user-entered process and of the parent: `=` and `IN` hold if either matches, `!=` and `NOT IN` if neither does.
One that does not exist does not count.
One that exists and is not known, as `missing` or the block's `unknown` say, leaves unknown what depends on it.
";

const PATTERNS: &str = "
## Patterns

`=`, `!=`, `IN` and `NOT IN` match the whole value of a text, a word or a UUID.

| pattern | matches |
| --- | --- |
| `*` | any run of characters, also none |
| `?` | one character |
| `[az /]` | one of these |
| `[a-z]` | one in this range |
| `[!a-z]` | one that is not |
| `[[:digit:]]` | one of a class of ASCII characters: `alnum`, `alpha`, `blank`, `cntrl`, `digit`, `graph`, `lower`, `print`, `punct`, `space`, `upper`, `xdigit` |
| `[*]`, `[?]`, `[[]` | the character itself |

A backslash is a character like any other.
Case matters, but for days of the week, address types and booleans.
What is not UTF-8 is matched as it is shown, one U+FFFD for each sequence; the exact bytes are in the field with `_b64` behind its name, which is compared as the base64 that it is.
What was cut, as `argv_truncated` says, is matched as far as it was recorded.

A word that is none of those a field may hold is a mistake; a pattern is not, since later versions may have more words: `'[n]ew'`.
";

const TIMES: &str = "
## Times

A time is as wide as it is exact.
`=` asks whether a moment lies in it, `<` before it, `>` behind it; `<=` and `>=` include it.
So `cmd_date > 'yesterday'` begins at today's midnight, and `cmd_date >= 'yesterday'` at yesterday's.

| written | is |
| --- | --- |
| `1795422600` | that second since 1970 |
| `'2026-11-24'`, `'Nov 24 2026'`, `'24 November 2026'` | that day |
| `'2026-11'`, `'Nov 2026'` | that month |
| `'2026-11-24 13'`, `'2026-11-24 13:05'`, `'2026-11-24 13:05:07'` | that hour, minute or second |
| `'2026-11-24T13:05:07.25Z'`, `'2026-11-24T13:05:07+01:00'` | that fraction or second, whatever the zone |
| `'now'` | this second |
| `'today'`, `'yesterday'` | that day |
| `'30 seconds ago'`, `'5 minutes ago'`, `'2 hours ago'` | that second |
| `'4 days ago'`, `'2 weeks ago'`, `'3 months ago'`, `'1 year ago'` | that day |
| `'this week'`, `'last week'` | from Monday to Monday; likewise `month` and `year` |

Days and hours are those of UTC, unless the program is told another zone.
A time of day is written `'8'` for the hour from 8:00 on, `'8:30'` for the minute, `'8:30:15'` for the second.
Days of the week are `monday` to `sunday`.
";

const FIELDS: &str = "
## Fields

Every [exported field](events.md) is a property by its path besides: `self.tty.major = '136'`, `last_user_entered.name = 'make'`, `exec.filename = '/tmp/*'`.
Behind an object whose keys are not fixed stands the key: `host.labels.project = 'shop'`, `counters.lost_kernel > 0`, `missing.parent = '*'`.

`server_label_` and a key stand for that label: `server_label_project = 'shop'`.

`macro_` and a name stand for a saved query, as a boolean: `macro_tools = 'true'`.
`forebear query --macros FILE` reads them from a file.
";

/// The reference page.
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();

    page += "\n## Types\n\n| type |";
    for operator in Operator::ALL {
        page += &format!(" `{operator}` |");
    }
    page += &format!("\n| --- |{}\n", " --- |".repeat(Operator::ALL.len()));
    for kind in Kind::ALL {
        page += &format!("| {kind} |");
        for operator in Operator::ALL {
            page += if kind.operators().contains(&operator) { " yes |" } else { "  |" };
        }
        page += "\n";
    }

    let subjects = [
        (Subject::Command, "Properties of the command"),
        (Subject::Session, "Properties of the inception session"),
        (Subject::Server, "Properties of the server"),
    ];
    for (subject, heading) in subjects {
        page += &format!("\n## {heading}\n\n| property | type | meaning |\n| --- | --- | --- |\n");
        for property in PROPERTIES.iter().filter(|property| property.subject == subject) {
            let (name, kind, meaning) = (property.name, property.kind, property.meaning);
            page += &format!("| `{name}` | {kind} | {meaning} |\n");
        }
    }
    page += FIELDS;
    page += UNKNOWN;
    page += PATTERNS;
    page += TIMES;

    page += "\n## Mistakes\n\n";
    page +=
        "All mistakes of a query are told at once, each with its place; nothing is read then.\n\n";
    page += "| code | meaning |\n| --- | --- |\n";
    for code in Code::ALL {
        page += &format!("| `{code}` | {} |\n", code.meaning());
    }

    page += "\n## Bounds\n\n";
    page += &format!(
        "A query has at most {MAX_LENGTH} bytes and {MAX_COMPARISONS} comparisons, those of its \
         macros counted each time.\nParentheses are nested at most {MAX_DEPTH} deep, macros \
         {MAX_MACRO_DEPTH}.\n"
    );
    page
}
