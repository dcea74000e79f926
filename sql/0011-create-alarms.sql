-- The Alarm Message List: one row per occurrence. What the plant says of it
-- comes in frames and is merged (model/alarm_apply.c); what people do with it
-- happens here only. All times of an occurrence are bigint microseconds since
-- 1970 UTC.

CREATE TABLE alarm (
    id               uuid PRIMARY KEY
  , xid              xid8 NOT NULL DEFAULT pg_current_xact_id() -- last writer
  , datasource_id    integer NOT NULL
  , variable_id      integer NOT NULL
  , came_us          bigint NOT NULL
  , went_us          bigint
  , reactivated_us   bigint
  , acknowledged_us  bigint
  , changed_us       bigint NOT NULL -- at the plant
  , status           bigint NOT NULL DEFAULT 0
  , shelved_until_us bigint
  , changed_at       timestamptz NOT NULL DEFAULT now() -- here
  , reactivations    integer NOT NULL DEFAULT 0
  , flags            integer NOT NULL DEFAULT 0 -- model/alarm_change.h
  , class_number     integer NOT NULL DEFAULT 0
  , group_number     integer NOT NULL DEFAULT 0
  , priority         smallint NOT NULL DEFAULT 3
  , must_acknowledge boolean NOT NULL DEFAULT true
  , comment_required boolean NOT NULL DEFAULT false
  , cause_required   boolean NOT NULL DEFAULT false
  , suppressed       boolean NOT NULL DEFAULT false
  , out_of_service   boolean NOT NULL DEFAULT false
  , limit_name       text NOT NULL
  , text             text NOT NULL DEFAULT ''
  , value            text -- as JSON
  , areas            text[] NOT NULL DEFAULT '{}'
  , username         text -- who acknowledged
  , full_name        text
  , computer         text
  , comment          text
  , cause            text[] -- the names from the top of the tree down
    -- The plant counts on, under one id, when an alarm comes again; of what
    -- came after somebody had acknowledged it there is a row of its own: that
    -- id, and how many reactivations were before it.
  , part_of          uuid
  , base             integer NOT NULL DEFAULT 0
    -- It is there, or waits for somebody.
  , open             boolean NOT NULL GENERATED ALWAYS AS
        (went_us IS NULL OR must_acknowledge AND acknowledged_us IS NULL) STORED
) WITH (fillfactor = 80);
CREATE INDEX alarm_came ON alarm (datasource_id, came_us, id);
CREATE INDEX alarm_active ON alarm (datasource_id, came_us, id)
    WHERE went_us IS NULL;
CREATE INDEX alarm_unacknowledged ON alarm (datasource_id, came_us, id)
    WHERE acknowledged_us IS NULL;
CREATE INDEX alarm_open ON alarm (variable_id, limit_name) WHERE open;
CREATE INDEX alarm_standing ON alarm (datasource_id, came_us, id) WHERE open;
CREATE INDEX alarm_urgent ON alarm
    (datasource_id, ((priority::bigint << 52) - came_us), id) WHERE open;
CREATE INDEX alarm_variable_came ON alarm (variable_id, came_us);
CREATE INDEX alarm_part ON alarm (part_of, base) WHERE part_of IS NOT NULL;
CREATE INDEX alarm_xid ON alarm (xid, id);

-- Readers that page by (xid, id) miss nothing: a change counts anew.
CREATE FUNCTION alarm_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := pg_current_xact_id();
    NEW.changed_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER alarm_changed BEFORE UPDATE ON alarm
    FOR EACH ROW EXECUTE FUNCTION alarm_note_change();

-- What holds an alarm back, whatever occurrence: it is of a limit.
CREATE TABLE alarm_hold (
    variable_id integer NOT NULL
  , limit_name  text NOT NULL
  , kind        text NOT NULL
                CHECK (kind IN ('shelved', 'suppressed', 'out_of_service'))
  , since_us    bigint NOT NULL
  , until_us    bigint
  , reason      text NOT NULL
  , username    text
  , PRIMARY KEY (variable_id, limit_name, kind)
  , CHECK ((kind = 'shelved') = (until_us IS NOT NULL))
);
CREATE INDEX alarm_hold_due ON alarm_hold (until_us) WHERE kind = 'shelved';

-- The states of ISA-18.2 in the order of enum alarm_state (model/alarm.h): what
-- has gone and needs nobody is normal whatever holds its limit back. Bit 4 of
-- the flags is ALARM_SUPPRESSED: suppressed by a variable of the plant.
CREATE FUNCTION alarm_state(alarm, at_us bigint) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN $1.went_us IS NOT NULL AND ($1.acknowledged_us IS NOT NULL
            OR NOT $1.must_acknowledge) THEN 0
        WHEN $1.out_of_service THEN 6
        WHEN $1.suppressed OR $1.flags & 4 <> 0 THEN 5
        WHEN $1.shelved_until_us > $2 THEN 4
        WHEN $1.went_us IS NOT NULL THEN 3
        WHEN $1.acknowledged_us IS NOT NULL OR NOT $1.must_acknowledge THEN 2
        ELSE 1 END
$$;

-- Which rows of the list changes of plants belong to (model/alarm_apply.c): the
-- ids of the alarms, how often they were reactivated, and when last or, if they
-- were not (INT64_MIN), the times of the changes. Nobody acknowledges meanwhile:
-- it is the plant's turn (model/alarm.h). The first reactivation of one that is
-- acknowledged begins a new row: there "came_us" is told, and "ended_us" for
-- changes of the row before, which has gone by then even if that was lost.
CREATE FUNCTION alarm_place(plant integer, ids uuid[], counts integer[]
  , reactivated bigint[], times bigint[])
RETURNS TABLE (place bigint, id uuid, base integer, came_us bigint, ended_us bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH sent AS MATERIALIZED (
        SELECT * FROM unnest(ids, counts, reactivated, times)
          WITH ORDINALITY AS put (plant_id, count, reactivated, at, place))
    , known AS MATERIALIZED (
        SELECT asked.plant_id, a.id, a.base, a.reactivations, a.acknowledged_us
          FROM (SELECT DISTINCT plant_id FROM sent) AS asked
          JOIN alarm AS a ON a.datasource_id = plant AND a.id = coalesce(
               (SELECT part.id FROM alarm AS part
                 WHERE part.part_of = asked.plant_id
                 ORDER BY part.base DESC LIMIT 1), asked.plant_id))
    , cut AS (
        SELECT DISTINCT ON (plant_id) plant_id, sent.count AS base
             , md5(plant_id || ' ' || sent.count)::uuid AS id
             , CASE WHEN reactivated = -9223372036854775808 THEN at
                    ELSE reactivated END AS came_us
          FROM sent JOIN known USING (plant_id)
         WHERE known.acknowledged_us IS NOT NULL
           AND sent.count > known.base + known.reactivations
         ORDER BY plant_id, sent.count, sent.place)
    , ended AS (
        UPDATE alarm SET went_us = cut.came_us
          FROM cut JOIN known USING (plant_id)
         WHERE alarm.id = known.id AND alarm.went_us IS NULL
           AND NOT EXISTS (SELECT FROM sent WHERE sent.plant_id = cut.plant_id
                              AND sent.count BETWEEN known.base AND cut.base - 1))
    SELECT sent.place
         , CASE WHEN sent.count >= cut.base THEN cut.id
                ELSE coalesce(known.id, plant_id) END
         , CASE WHEN sent.count >= cut.base THEN cut.base
                ELSE coalesce(known.base, 0) END
         , CASE WHEN sent.count >= cut.base THEN cut.came_us END
         , CASE WHEN sent.count < cut.base THEN cut.came_us END
      FROM sent
      LEFT JOIN known USING (plant_id)
      LEFT JOIN cut USING (plant_id);
END $$;

-- Limits: what makes an alarm; the numbers are those of model/alarm_limit.h.
-- origin 1: declared by an agent, and the plant's to change. evaluated_by 0:
-- by the agent that declared the variable (alarm_agent), or else by the hub.
CREATE TABLE alarm_limit (
    id               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , uuid             uuid NOT NULL UNIQUE DEFAULT gen_random_uuid()
  , datasource_id    integer NOT NULL REFERENCES datasource ON DELETE CASCADE
  , variable_id      integer NOT NULL REFERENCES variable ON DELETE CASCADE
  , name             text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64)
  , origin           smallint NOT NULL CHECK (origin IN (1, 2)) -- 1 agent 2 hub
  , evaluated_by     smallint NOT NULL DEFAULT 0 CHECK (evaluated_by BETWEEN 0 AND 2)
  , condition        smallint NOT NULL CHECK (condition BETWEEN 1 AND 8)
  , value            double precision
  , match            text
  , low              double precision
  , high             double precision
  , hysteresis       double precision NOT NULL DEFAULT 0
  , on_delay_ms      bigint NOT NULL DEFAULT 0
  , off_delay_ms     bigint NOT NULL DEFAULT 0
  , text             text NOT NULL DEFAULT ''
  , class_number     integer NOT NULL DEFAULT 0
  , group_number     integer NOT NULL DEFAULT 0
  , areas            text[] NOT NULL DEFAULT '{}' CHECK (cardinality(areas) <= 4)
  , priority         smallint NOT NULL DEFAULT 3 CHECK (priority BETWEEN 1 AND 4)
  , must_acknowledge boolean NOT NULL DEFAULT true
  , comment_required boolean NOT NULL DEFAULT false
  , cause_required   boolean NOT NULL DEFAULT false
  , each_change      boolean NOT NULL DEFAULT false
  , reactivates      boolean NOT NULL DEFAULT false
  , suppressed_by    text NOT NULL DEFAULT ''
  , enabled          boolean NOT NULL DEFAULT true
  , created_at       timestamptz NOT NULL DEFAULT now()
  , changed_at       timestamptz NOT NULL DEFAULT now()
  , UNIQUE (variable_id, name)
);
CREATE INDEX alarm_limit_datasource ON alarm_limit (datasource_id);
-- A statement that changed no limit wakes nobody.
CREATE FUNCTION tell_limit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('fieldgrid_catalog', TG_TABLE_NAME || ' ' || datasource_id)
       FROM (SELECT DISTINCT datasource_id FROM changed) AS c;
    RETURN NULL;
END $$;
CREATE TRIGGER alarm_limit_tell_insert AFTER INSERT ON alarm_limit
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_limit_change();
CREATE TRIGGER alarm_limit_tell_update AFTER UPDATE ON alarm_limit
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_limit_change();
CREATE TRIGGER alarm_limit_tell_delete AFTER DELETE ON alarm_limit
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_limit_change();

CREATE TABLE alarm_agent (
    variable_id integer PRIMARY KEY REFERENCES variable ON DELETE CASCADE
  , node_id     integer NOT NULL REFERENCES node ON DELETE CASCADE
);

-- Names of the classes and groups that limits give numbers of, and of areas,
-- which are known by name alone.
CREATE TABLE alarm_category (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , datasource_id integer NOT NULL REFERENCES datasource ON DELETE CASCADE
  , kind          text NOT NULL CHECK (kind IN ('class', 'group', 'area'))
  , number        integer CHECK (number BETWEEN 0 AND 65535)
  , name          text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 128)
  , colour        text NOT NULL DEFAULT '' CHECK (colour ~ '^(#[0-9a-f]{6})?$')
  , description   text NOT NULL DEFAULT ''
  , created_at    timestamptz NOT NULL DEFAULT now()
  , CHECK ((kind = 'area') = (number IS NULL))
);
CREATE UNIQUE INDEX alarm_category_number
    ON alarm_category (datasource_id, kind, number) WHERE kind <> 'area';
CREATE UNIQUE INDEX alarm_category_area
    ON alarm_category (datasource_id, name) WHERE kind = 'area';

-- The tree of causes, up to five levels. What was used once is not deleted but
-- marked as removed: it cannot be chosen any more.
CREATE TABLE alarm_cause (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , uuid          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid()
  , datasource_id integer NOT NULL REFERENCES datasource ON DELETE CASCADE
  , parent_id     integer REFERENCES alarm_cause ON DELETE CASCADE
  , level         smallint NOT NULL CHECK (level BETWEEN 1 AND 5)
  , name          text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 128)
  , description   text NOT NULL DEFAULT ''
  , removed       boolean NOT NULL DEFAULT false
  , created_at    timestamptz NOT NULL DEFAULT now()
  , UNIQUE NULLS NOT DISTINCT (datasource_id, parent_id, name)
  , CHECK ((parent_id IS NULL) = (level = 1))
);
