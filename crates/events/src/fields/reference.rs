//! The reference page, in Markdown: prose by hand, every table from the schema.

use serde_json::Value;

use super::{Definitions, Field, text, with_words};
use crate::{ndjson, pretty, samples};

const INTRODUCTION: &str = "\
<!-- Generated from the types of crates/events; do not edit. -->
# Event fields

Events are newline-delimited JSON: one object a line, UTF-8.
The first key of each is `event_type`; which other fields it has follows from that.

- Ignore fields, event types and words that you do not know: a minor version of the format may add some.
- A field that is absent says that there is no such thing.
- What exists but could not be learned is absent too, and named with the reason: a field in the block's `unknown`, a process in the event's `missing`.
  Nothing is ever filled with null, an empty string or 0 in place of not knowing.
- Text is what the kernel has. Where its bytes are not UTF-8, each offending sequence shows as U+FFFD, and a sibling field with `_b64` behind its name holds the exact bytes in base64.
  `argv_b64` holds every argument of the list, if any of them is not UTF-8.
- Times are RFC 3339 in UTC with nine digits of seconds.
";

const PROCESS_EVENTS: &str = "\
A *process block* is described below; it is the same in every role.
";

const BACKFILL: &str = "It has no fields of its own.\n";

/// The reference page.
pub fn markdown() -> String {
    let schema = Definitions::new();
    let mut page = INTRODUCTION.to_owned();
    let types = schema.event_types();
    let own: Vec<(String, String, Vec<Field>)> = types
        .iter()
        .map(|(name, branch)| {
            let mut fields = Vec::new();
            schema.collect(branch, "", false, &mut fields);
            let about = schema.referred(branch).map(|it| text(it, "description"));
            (name.clone(), about.unwrap_or_default(), fields)
        })
        .collect();
    let has = |name: &str, path: &str| {
        own.iter()
            .any(|(other, _, fields)| other == name && fields.iter().any(|it| it.path == path))
    };
    let everywhere = |path: &str| own.iter().all(|(name, ..)| has(name, path));
    let of_processes = |path: &str| has("EXEC", path) && has("BACKFILL", path);
    let all = || own.iter().flat_map(|(_, _, fields)| fields);

    page += "\n## Every event\n\n";
    let first = own.first().map(|(_, _, fields)| fields.as_slice()).unwrap_or_default();
    page += &table(first.iter().filter(|it| everywhere(&it.path)));

    page += "\n## Every event about a process\n\n";
    page += PROCESS_EVENTS;
    page += "\n";
    page += &table(first.iter().filter(|it| !everywhere(&it.path) && of_processes(&it.path)));

    page += "\n## Process block\n\n";
    page += &table(fields_of(&schema, "Process").iter());
    page += "\n`inception_session` has besides:\n\n";
    let process = fields_of(&schema, "Process");
    let inception = fields_of(&schema, "InceptionSession");
    page += &table(inception.iter().filter(|it| process.iter().all(|other| other.path != it.path)));

    for (name, about, fields) in &own {
        page += &format!("\n## {name}\n\n{about}\n");
        let mut fields =
            fields.iter().filter(|it| !everywhere(&it.path) && !of_processes(&it.path)).peekable();
        match fields.peek() {
            Some(_) => page += &format!("\n{}", table(fields)),
            None => page += BACKFILL,
        }
    }

    page += "\n## Words\n";
    let used = all().chain(&inception);
    page += &vocabularies(&schema, used);
    page += &examples();
    page
}

fn fields_of(schema: &Definitions, name: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    schema.collect(schema.named(name), "", false, &mut fields);
    fields
}

fn table<'f>(fields: impl Iterator<Item = &'f Field>) -> String {
    let mut rows = String::from("| field | type | since | meaning |\n| --- | --- | --- | --- |\n");
    for Field { path, kind, since, meaning, words, .. } in fields {
        let meaning = with_words(meaning, words);
        let kind = if kind == "process" { "[process block](#process-block)" } else { kind };
        rows += &format!("| `{path}` | {kind} | {since} | {meaning} |\n");
    }
    rows
}

/// Each vocabulary once, with the meaning of its words.
fn vocabularies<'f>(schema: &Definitions, fields: impl Iterator<Item = &'f Field>) -> String {
    let used: Vec<&Field> = fields.filter(|field| !field.words.is_empty()).collect();
    let definitions = schema.root.get("$defs").and_then(Value::as_object);
    let mut sections = String::new();
    for definition in definitions.into_iter().flat_map(|it| it.values()) {
        if definition.get("anyOf").is_none() {
            continue;
        }
        let words = schema.words(definition);
        let names: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
        let mut paths: Vec<String> = Vec::new();
        for field in used.iter().filter(|field| field.words == names) {
            let path = format!("`{}`", field.path);
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        sections += &format!("\n### {}\n\n", paths.join(", "));
        sections +=
            &format!("{}\n\n| word | meaning |\n| --- | --- |\n", text(definition, "description"));
        for (word, meaning) in &words {
            sections += &format!("| `{word}` | {meaning} |\n");
        }
    }
    sections
}

fn examples() -> String {
    let mut section =
        String::from("\n## Examples\n\nThe same events for a person at a terminal:\n\n```text\n");
    let samples = samples::all();
    for (_, event) in &samples {
        pretty::line(event, false, &mut section);
    }
    section += "```\n";
    let told_in_full = ["agent", "exec-ls"];
    for (name, event) in samples.iter().filter(|(name, _)| told_in_full.contains(name)) {
        let json = serde_json::to_string_pretty(event).unwrap_or_else(|_| ndjson::line(event));
        section += &format!("\n### {}\n\n```json\n{json}\n```\n", name.replace('-', " "));
    }
    section
}
