-- Records that nobody needs any more go after a time (model/retention.c). Only
-- these functions delete them, of the keeper only; what has been recorded
-- stands for everybody else.
--
-- Each looks at up to "rows" records of a datasource (0: of the grid) behind a
-- place and deletes those that are from before "before_us" and were written
-- here before "stored". It tells how many it looked at, how many it deleted,
-- and the place of the last one.

-- The setting counts until the end of the transaction, and only for deleting,
-- which no role of a service may: it is of no use to others.
DROP TRIGGER event_append_only ON event;
CREATE TRIGGER event_append_only BEFORE UPDATE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_kept BEFORE DELETE ON event
    FOR EACH STATEMENT
    WHEN (current_setting('fieldgrid.retention', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION refuse_change();
DROP TRIGGER command_stands ON command;
CREATE TRIGGER command_stands BEFORE UPDATE ON command
    FOR EACH ROW EXECUTE FUNCTION command_guard();
CREATE TRIGGER command_kept BEFORE DELETE ON command
    FOR EACH ROW
    WHEN (current_setting('fieldgrid.retention', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION command_guard();

-- Alarms that are over and wait for nobody.
CREATE FUNCTION alarm_retain(plant integer, before_us bigint, stored timestamptz
  , after_us bigint, after text, rows integer)
RETURNS TABLE (looked bigint, deleted bigint, last_us bigint, last text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH seen AS MATERIALIZED (
        SELECT id, came_us FROM alarm
         WHERE datasource_id = plant AND came_us < before_us
           AND (came_us, id) > (after_us
             , coalesce(after::uuid, '00000000-0000-0000-0000-000000000000'))
         ORDER BY came_us, id LIMIT rows)
    , gone AS (
        DELETE FROM alarm USING seen
         WHERE alarm.id = seen.id AND NOT alarm.open
           AND alarm.went_us < before_us AND alarm.changed_at < stored
        RETURNING 1)
    SELECT (SELECT count(*) FROM seen), (SELECT count(*) FROM gone), tail.*
      FROM (SELECT max(came_us), (array_agg(id ORDER BY came_us DESC, id DESC))[1]::text
              FROM seen) AS tail
$$;

CREATE FUNCTION event_retain(plant integer, before_us bigint, stored timestamptz
  , after_us bigint, after text, rows integer)
RETURNS TABLE (looked bigint, deleted bigint, last_us bigint, last text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT set_config('fieldgrid.retention', 'on', true);
    WITH seen AS MATERIALIZED (
        (SELECT id, time_us FROM event
          WHERE datasource_id = plant AND time_us < before_us
            AND (time_us, id) > (after_us, coalesce(after::bigint, 0))
          ORDER BY time_us, id LIMIT rows)
        UNION ALL
        (SELECT id, time_us FROM event
          WHERE plant = 0 AND datasource_id IS NULL AND time_us < before_us
            AND (time_us, id) > (after_us, coalesce(after::bigint, 0))
          ORDER BY time_us, id LIMIT rows))
    , gone AS (
        DELETE FROM event USING seen
         WHERE event.id = seen.id AND event.received_at < stored
        RETURNING 1)
    SELECT (SELECT count(*) FROM seen), (SELECT count(*) FROM gone), tail.*
      FROM (SELECT max(time_us), (array_agg(id ORDER BY time_us DESC, id DESC))[1]::text
              FROM seen) AS tail
$$;

-- Commands that are over, in the order of their numbers; all times are here.
CREATE FUNCTION command_retain(plant integer, before_us bigint, stored timestamptz
  , after_us bigint, after text, rows integer)
RETURNS TABLE (looked bigint, deleted bigint, last_us bigint, last text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT set_config('fieldgrid.retention', 'on', true);
    WITH seen AS MATERIALIZED (
        SELECT number FROM command
         WHERE datasource_id = plant AND number > coalesce(after::bigint, 0)
           AND created_at < stored
         ORDER BY number LIMIT rows)
    , gone AS (
        DELETE FROM command USING seen
         WHERE command.number = seen.number AND state <> 'sent'
           AND changed_at < stored
        RETURNING 1)
    SELECT (SELECT count(*) FROM seen), (SELECT count(*) FROM gone)
         , after_us, (SELECT max(number)::text FROM seen)
$$;

REVOKE EXECUTE ON FUNCTION alarm_retain, event_retain, command_retain FROM PUBLIC;
