-- Feeds: what egress nodes have taken, so that the keeper keeps for them what
-- they have not taken yet.

-- Nodes show their token with every request, over thin links: the shorter one.
UPDATE client SET algorithm = 'ES256' WHERE node_id IS NOT NULL;

-- packed: the samples are in chunks already, the frame stays for an egress
-- node. Readers of history leave such frames out, so the indexes do too.
ALTER TABLE frame ADD packed boolean NOT NULL DEFAULT false;
DROP INDEX frame_id;
CREATE INDEX frame_id ON frame (id) WHERE NOT packed;
DROP INDEX frame_datasource_last;
CREATE INDEX frame_datasource_last ON frame (datasource_id, last_us)
    WHERE NOT packed;

-- How often frames of the node came late into a gap: who has read past the gap
-- looks for them when this has changed.
ALTER TABLE node_position ADD fills bigint NOT NULL DEFAULT 0;

-- An egress node that reads feeds.
CREATE TABLE feed_reader (
    node_id integer PRIMARY KEY REFERENCES node ON DELETE CASCADE
  , seen_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- How far it has taken the frames of one sending node: all whose sequence and
-- whose id are not above these. lost_…: frames behind that which were dropped
-- before it took them, and their times.
CREATE TABLE feed_position (
    node_id       integer NOT NULL REFERENCES feed_reader ON DELETE CASCADE
  , source_id     integer NOT NULL
  , sequence      bigint NOT NULL
  , frame_id      bigint NOT NULL
  , lost_sequence bigint NOT NULL DEFAULT 0
  , lost_id       bigint NOT NULL DEFAULT 0
  , lost_first_us bigint
  , lost_last_us  bigint
  , PRIMARY KEY (node_id, source_id)
) WITH (fillfactor = 50);

-- Eras. A cursor speaks of numbers of transactions and of frames. After a
-- restore they are given out again: in another cluster from the begin, after a
-- point-in-time restore from there on. Then an era begins: transactions are
-- counted with so much added that they have numbers of their own, and "base"
-- parts what was restored from what comes. A cursor of an era before is cut off
-- at it, so nothing is missed and nothing comes twice.
CREATE TABLE feed_era (
    ordinal  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , id       bigint NOT NULL UNIQUE -- drawn; stands in cursors
  , storage  text NOT NULL          -- the database that it began in
  , began_at timestamptz NOT NULL DEFAULT now()
  , base     bigint NOT NULL        -- what is from before has smaller numbers
  , added    bigint NOT NULL        -- to the numbers of transactions since
  , frame_id bigint NOT NULL        -- the last one before
);
-- The last frame of each node before.
CREATE TABLE feed_era_position (
    ordinal  integer NOT NULL REFERENCES feed_era ON DELETE CASCADE
  , node_id  integer NOT NULL
  , sequence bigint NOT NULL
  , PRIMARY KEY (ordinal, node_id)
);

-- What no restored copy has in common with its origin: the cluster, the
-- database in it, and the timeline.
CREATE FUNCTION feed_storage() RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT system_identifier FROM pg_control_system())
        || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
        || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
$$;

-- The number of this transaction, and what is seen now. In the first era as
-- PostgreSQL counts; feed_era_check replaces both.
CREATE FUNCTION feed_xid() RETURNS xid8 LANGUAGE sql AS $$
    SELECT pg_current_xact_id()
$$;
CREATE FUNCTION feed_snapshot() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT pg_current_snapshot()::text
$$;
ALTER TABLE event ALTER xid SET DEFAULT feed_xid();
ALTER TABLE alarm ALTER xid SET DEFAULT feed_xid();
CREATE OR REPLACE FUNCTION alarm_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := feed_xid();
    NEW.changed_at := now();
    RETURN NEW;
END $$;

CREATE FUNCTION feed_count_on(added bigint) RETURNS void LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE format($$
        CREATE OR REPLACE FUNCTION feed_xid() RETURNS xid8 LANGUAGE sql AS
        'SELECT (pg_current_xact_id()::text::bigint + %1$s)::text::xid8';
        CREATE OR REPLACE FUNCTION feed_snapshot() RETURNS text LANGUAGE sql STABLE AS
        'SELECT (pg_snapshot_xmin(s)::text::bigint + %1$s)
             || '':'' || (pg_snapshot_xmax(s)::text::bigint + %1$s) || '':''
             || coalesce((SELECT string_agg((x::text::bigint + %1$s)::text, '','' ORDER BY x)
                            FROM pg_snapshot_xip(s) AS x), '''')
           FROM pg_current_snapshot() AS s'
        $$, added);
END $function$;

-- The era; a new one when this is not the database of the last one, or when it
-- is known that an older copy was put in its place. Before anything is written.
CREATE FUNCTION feed_era_check(restored boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last  feed_era;
    next  bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    begun feed_era;
BEGIN
    LOCK feed_era IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM feed_era ORDER BY ordinal DESC LIMIT 1;
    IF last.storage = feed_storage() AND NOT restored THEN
        RETURN last.id;
    END IF;
    begun.id := ('x' || left(replace(gen_random_uuid()::text, '-', ''), 15))::bit(60)::bigint;
    begun.base := greatest(next + coalesce(last.added, 0)
      , (SELECT xid::text::bigint + 1 FROM alarm ORDER BY xid DESC LIMIT 1)
      , (SELECT xid::text::bigint + 1 FROM event ORDER BY xid DESC LIMIT 1));
    INSERT INTO feed_era (id, storage, base, added, frame_id)
    SELECT begun.id, feed_storage(), begun.base, begun.base - next, last_value
      FROM frame_id_seq
    RETURNING * INTO begun;
    INSERT INTO feed_era_position (ordinal, node_id, sequence)
    SELECT begun.ordinal, node_id, last_sequence FROM node_position;
    IF begun.added <> coalesce(last.added, 0) THEN
        PERFORM feed_count_on(begun.added);
    END IF;
    RETURN begun.id;
END $$;
REVOKE ALL ON FUNCTION feed_era_check, feed_count_on FROM PUBLIC;
SELECT feed_era_check(false);
