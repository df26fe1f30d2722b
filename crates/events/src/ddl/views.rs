//! The flat views over `events`, the same columns in every engine.

use super::Engine;

/// `commands` and `sessions`.
pub(super) fn views(engine: Engine) -> [String; 2] {
    let create = "CREATE OR REPLACE VIEW";
    let place = if engine == Engine::Bigquery { "forebear." } else { "" };
    let (argv, group, time) = (argv(engine), label(engine, "group"), time(engine));
    let number = engine.number();
    let commands = format!(
        "\
{create} {place}commands AS
SELECT
  event_uuid, event_type, event_time,
  {time} AS time,
  date, hour, host_id,
  host.name AS host,
  {group} AS host_group,
  agent.run_uuid AS run, seq,
  self.uuid AS process,
  self.pid AS pid,
  parent.uuid AS parent,
  CASE WHEN event_type = 'BUILTIN' THEN builtin.name ELSE self.name END AS cmd_root,
  {argv} AS cmd,
  self.exe AS exe,
  self.cwd AS cwd,
  self.effective_user AS exec_user,
  cmd_user AS person,
  self.user_entered AS typed,
  last_user_entered.name AS typed_above,
  builtin.exit_status AS exit_status,
  CASE WHEN event_type = 'BUILTIN' THEN builtin.line ELSE exec.line END AS line,
  inception_session.uuid AS session,
  inception_session.kind AS session_kind,
  inception_session.entry AS entry,
  inception_session.user AS session_user,
  inception_session.source.ip AS address
FROM {place}events
WHERE event_type IN ('EXEC', 'BUILTIN', 'BACKFILL');
"
    );
    let commands = quoted(engine, &commands);
    let sessions = format!(
        "\
{create} {place}sessions AS
SELECT
  session, session_kind, entry, session_user, address, host_id, host, host_group,
  max(person) AS person,
  min(event_time) AS first_time,
  max(event_time) AS last_time,
  CAST(count(*) AS {number}) AS commands
FROM {place}commands
WHERE session IS NOT NULL
GROUP BY session, session_kind, entry, session_user, address, host_id, host, host_group;
"
    );
    [commands, sessions]
}

/// Keywords of some engine among the paths; quoted where they are fields.
fn quoted(engine: Engine, text: &str) -> String {
    let mut text = text.to_owned();
    for path in ["inception_session.user", "inception_session.source"] {
        let (above, name) = path.split_once('.').unwrap_or_default();
        text = text.replace(path, &format!("{above}.{}", engine_quote(engine, name)));
    }
    text
}

/// Queries of Athena are quoted otherwise than its tables.
fn engine_quote(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Athena => format!("\"{name}\""),
        other => other.quoted(name),
    }
}

/// The arguments, joined by spaces; of a builtin its own.
fn argv(engine: Engine) -> String {
    let joined = |path: &str| match engine {
        Engine::Duckdb | Engine::Bigquery => format!("array_to_string({path}, ' ')"),
        Engine::Clickhouse => format!("nullIf(arrayStringConcat({path}, ' '), '')"),
        Engine::Spark | Engine::Athena => format!("array_join({path}, ' ')"),
    };
    let (builtin, own) = (joined("builtin.argv"), joined("self.argv"));
    format!("CASE WHEN event_type = 'BUILTIN' THEN {builtin} ELSE {own} END")
}

fn label(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Duckdb | Engine::Spark => format!("host.labels['{name}']"),
        Engine::Clickhouse => format!("nullIf(host.labels['{name}'], '')"),
        Engine::Athena => format!("element_at(host.labels, '{name}')"),
        Engine::Bigquery => format!("JSON_VALUE(host.labels, '$.{name}')"),
    }
}

/// The time of an event as the engine's own type, as exact as that is.
fn time(engine: Engine) -> &'static str {
    match engine {
        Engine::Duckdb => "CAST(event_time AS TIMESTAMPTZ)",
        Engine::Clickhouse => "parseDateTime64BestEffortOrNull(event_time, 9, 'UTC')",
        Engine::Spark => "CAST(event_time AS TIMESTAMP)",
        Engine::Athena => "from_iso8601_timestamp_nanos(event_time)",
        Engine::Bigquery => "TIMESTAMP(CONCAT(SUBSTR(event_time, 1, 26), 'Z'))",
    }
}
