//! Views: what people ask for most, flat.

use datafusion::error::Result;
use datafusion::execution::context::SessionContext;

/// One row an event, in few words.
pub(crate) const OVERVIEW: &str = "\
SELECT event_time AS time, host.name AS host, event_type AS type, \
 coalesce(cmd_user, inception_session.user) AS who, \
 CASE event_type WHEN 'AGENT' THEN NULL ELSE coalesce(self.effective_user, self.user) END AS \"as\", \
 CASE event_type WHEN 'AGENT' THEN reason \
  WHEN 'VERIFY' THEN concat_ws(' ', verification.account, verification.outcome) \
  ELSE coalesce(arguments(coalesce(builtin.argv, self.argv), 0), self.name) END AS what \
FROM events";

/// Name and definition of every view.
const VIEWS: [(&str, &str); 4] = [
    (
        "commands",
        "SELECT event_time AS time, event_type AS type, event_uuid, host.id AS host_id, \
          host.name AS host, inception_session.uuid AS session, \
          inception_session.kind AS session_kind, inception_session.entry AS entry, \
          inception_session.source.ip AS source_ip, inception_session.user AS session_user, \
          cmd_user AS person, self.effective_user AS exec_user, self.user_entered AS typed, \
          self.uuid AS process, self.pid AS pid, self.parent_uuid AS parent, self.exe AS exe, \
          self.cwd AS cwd, coalesce(builtin.name, self.name) AS cmd_root, \
          arguments(coalesce(builtin.argv, self.argv), 0) AS cmd, \
          coalesce(builtin.line, exec.line) AS typed_line \
         FROM events WHERE event_type IN ('EXEC', 'BUILTIN', 'BACKFILL')",
    ),
    (
        "sessions",
        "SELECT inception_session.uuid AS session, max(host.id) AS host_id, \
          max(host.name) AS host, max(inception_session.user) AS session_user, \
          max(cmd_user) AS person, max(inception_session.kind) AS kind, \
          max(inception_session.entry) AS entry, max(inception_session.source.ip) AS source_ip, \
          min(inception_session.start_time) AS began, max(event_time) AS last_seen, \
          count(*) FILTER (WHERE event_type IN ('EXEC', 'BUILTIN')) AS commands, \
          count(*) FILTER (WHERE event_type = 'BUILTIN' OR (event_type = 'EXEC' AND \
           self.user_entered)) AS typed \
         FROM events WHERE inception_session.uuid IS NOT NULL GROUP BY inception_session.uuid",
    ),
    (
        "processes",
        "SELECT self.uuid AS process, max(host.id) AS host_id, max(self.pid) AS pid, \
          max(self.parent_uuid) AS parent, max(self.creator_uuid) AS creator, \
          max(inception_session.uuid) AS session, min(self.start_time) AS began, \
          max(event_time) AS last_seen, \
          last_value(self.name ORDER BY boot_ns) AS name, \
          last_value(self.exe ORDER BY boot_ns) AS exe, \
          last_value(self.effective_user ORDER BY boot_ns) AS exec_user, \
          count(*) FILTER (WHERE event_type = 'EXEC') AS execs, \
          count(*) FILTER (WHERE event_type = 'BUILTIN') AS builtins \
         FROM events WHERE self.uuid IS NOT NULL GROUP BY self.uuid",
    ),
    (
        "hosts",
        "SELECT host.id AS host_id, max(host.name) AS host, \
          last_value(host.kernel ORDER BY event_time) AS kernel, \
          count(DISTINCT host.boot_id) AS boots, count(DISTINCT agent.run_uuid) AS runs, \
          min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS events, \
          max(counters['lost_kernel']) AS lost_kernel, max(counters['lost_user']) AS lost_user \
         FROM events WHERE host.id IS NOT NULL GROUP BY host.id",
    ),
];

/// Makes them known.
pub(crate) async fn register(session: &SessionContext) -> Result<()> {
    for (name, definition) in VIEWS {
        let view = session.sql(definition).await?.into_view();
        session.register_table(name, view)?;
    }
    Ok(())
}
