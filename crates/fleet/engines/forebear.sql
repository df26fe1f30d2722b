WITH commands AS (
  SELECT
    event_uuid, event_type, event_time, seq,
    CAST(event_time AS DATE) AS date,
    date_part('hour', event_time) AS hour,
    host.id AS host_id,
    host.name AS host,
    host.labels['group'] AS host_group,
    CASE WHEN event_type = 'BUILTIN' THEN builtin.name ELSE self.name END AS cmd_root,
    CASE WHEN event_type = 'BUILTIN' THEN arguments(builtin.argv, 0)
      ELSE arguments(self.argv, 0) END AS cmd,
    self.effective_user AS exec_user,
    self.user_entered AS typed,
    cmd_user AS person,
    builtin.exit_status AS exit_status,
    inception_session.uuid AS session,
    inception_session.kind AS session_kind,
    inception_session.user AS session_user,
    inception_session.source.ip AS address
  FROM events
  WHERE event_type IN ('EXEC', 'BUILTIN', 'BACKFILL')
), sessions AS (
  SELECT
    session, session_kind, session_user, address, host_id, host, host_group,
    max(person) AS person,
    min(event_time) AS first_time,
    max(event_time) AS last_time,
    count(*) AS commands
  FROM commands
  WHERE session IS NOT NULL
  GROUP BY session, session_kind, session_user, address, host_id, host, host_group
)
