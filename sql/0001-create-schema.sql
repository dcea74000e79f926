-- The nouns of the grid. Sample times are bigint microseconds since 1970 UTC;
-- everything else that is a point in time is timestamptz.

CREATE TABLE datasource (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , uuid        uuid NOT NULL UNIQUE
  , name        text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128)
  , description text NOT NULL DEFAULT ''
  , created_at  timestamptz NOT NULL DEFAULT now()
);

-- kind: 1 bool, 2 float64, 3 int64, 4 string.  access: 0 none, 1 read, 2 read_write.
CREATE TABLE variable (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , datasource_id integer NOT NULL REFERENCES datasource
  , name          text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 256)
  , kind          smallint NOT NULL CHECK (kind BETWEEN 1 AND 4)
  , unit          text NOT NULL DEFAULT ''
  , decimals      smallint NOT NULL DEFAULT 2 CHECK (decimals BETWEEN 0 AND 15)
  , minimum       double precision
  , maximum       double precision
  , stepped       boolean NOT NULL DEFAULT false
  , access        smallint NOT NULL DEFAULT 1 CHECK (access BETWEEN 0 AND 2)
  , description   text NOT NULL DEFAULT ''
  , created_at    timestamptz NOT NULL DEFAULT now()
  , UNIQUE (datasource_id, name)
);

CREATE TABLE node (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , uuid       uuid NOT NULL UNIQUE
  , name       text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128)
  , kind       text NOT NULL CHECK (kind IN ('ingress', 'egress', 'service'))
  , state      text NOT NULL DEFAULT 'pending'
               CHECK (state IN ('pending', 'authorised', 'blocked', 'retired'))
  , created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE node_certificate (
    fingerprint bytea PRIMARY KEY CHECK (octet_length(fingerprint) = 32) -- SHA-256 of the DER
  , node_id     integer NOT NULL REFERENCES node
  , serial      text NOT NULL
  , not_after   timestamptz NOT NULL
  , revoked_at  timestamptz
);

CREATE TABLE node_datasource (
    node_id       integer NOT NULL REFERENCES node
  , datasource_id integer NOT NULL REFERENCES datasource
  , publish       boolean NOT NULL DEFAULT false
  , subscribe     boolean NOT NULL DEFAULT false
  , PRIMARY KEY (node_id, datasource_id)
);

-- The highest committed frame of a node and the spool it came from. gaps: the
-- sequences below it that never came, so that a late one of them is not taken
-- for a duplicate.
CREATE TABLE node_position (
    node_id       integer PRIMARY KEY REFERENCES node
  , spool_id      bigint NOT NULL DEFAULT 0
  , last_sequence bigint NOT NULL DEFAULT 0
  , gaps          int8multirange NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

CREATE TABLE node_status (
    node_id         integer PRIMARY KEY REFERENCES node
  , seen_at         timestamptz
  , address         text
  , version         text
  , spool_frames    bigint
  , spool_bytes     bigint
  , spool_oldest_at timestamptz
  , lost_samples    bigint
  , clock_offset_us bigint
) WITH (fillfactor = 50);

-- Frames as received, until the keeper has packed them.
CREATE SEQUENCE frame_id_seq;
CREATE TABLE frame (
    id            bigint NOT NULL DEFAULT nextval('frame_id_seq')
  , received_at   timestamptz NOT NULL DEFAULT now()
  , node_id       integer NOT NULL
  , datasource_id integer NOT NULL
  , sequence      bigint NOT NULL
  , first_us      bigint NOT NULL
  , last_us       bigint NOT NULL
  , samples       integer NOT NULL
  , crc           bigint NOT NULL
  , body          bytea NOT NULL
) PARTITION BY RANGE (received_at);
CREATE INDEX frame_id ON frame (id);
CREATE INDEX frame_node_sequence ON frame (node_id, sequence);
CREATE INDEX frame_datasource_last ON frame (datasource_id, last_us);
CREATE TABLE frame_default PARTITION OF frame DEFAULT;
ALTER TABLE frame_default ALTER body SET STORAGE EXTERNAL;

-- Packed samples of one variable; the codec is described in doc/STORAGE.md.
-- Numbers that are not there are NULL. id rises as data arrive: of samples
-- with equal times the one of the lower id came first.
CREATE SEQUENCE chunk_id_seq;
CREATE TABLE chunk (
    id          bigint NOT NULL DEFAULT nextval('chunk_id_seq')
  , first_us    bigint NOT NULL
  , last_us     bigint NOT NULL
  , minimum     double precision
  , maximum     double precision
  , first_value double precision
  , last_value  double precision
  , total       double precision NOT NULL
  , integral    double precision NOT NULL -- over good time, value x seconds
  , good_us     bigint NOT NULL
  , worst       bigint NOT NULL -- all status bits seen, or-ed
  , variable_id integer NOT NULL
  , samples     integer NOT NULL
  , good        integer NOT NULL
  , body        bytea NOT NULL
) PARTITION BY RANGE (first_us);
CREATE INDEX chunk_variable_last ON chunk (variable_id, last_us, first_us);
CREATE INDEX chunk_small ON chunk (variable_id) WHERE samples < 2048;

-- The keeper makes and drops partitions; it may do so through these alone.
-- They wait only a moment for locks: nobody queues behind them for long, and
-- the keeper comes again.
CREATE FUNCTION frame_partition_create(from_at timestamptz, to_at timestamptz)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    name text := 'frame_' || to_char(from_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MI');
BEGIN
    IF to_regclass(name) IS NOT NULL OR EXISTS (
        SELECT FROM frame_default
         WHERE received_at >= from_at AND received_at < to_at) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE frame INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE %I ALTER body SET STORAGE EXTERNAL', name);
    EXECUTE format('ALTER TABLE frame ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)'
      , name, from_at, to_at);
    RETURN true;
EXCEPTION
    WHEN invalid_object_definition THEN -- another width already covers it
        RETURN false;
    WHEN lock_not_available THEN
        RETURN false;
END $$;

CREATE FUNCTION is_partition(parent regclass, name text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_inherits
         WHERE inhparent = parent AND inhrelid = to_regclass(quote_ident(name)))
$$;

-- Only an empty one. Locked in the order in which readers and writers lock.
CREATE FUNCTION frame_partition_drop(name text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    used boolean;
BEGIN
    IF name = 'frame_default' OR NOT is_partition('frame', name) THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO used;
    IF used THEN
        RETURN false;
    END IF;
    LOCK TABLE ONLY frame IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', name);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO used;
    IF NOT used THEN
        EXECUTE format('DROP TABLE %I', name);
    END IF;
    RETURN NOT used;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;

-- A month of chunks. Bodies are compressed already; longer than 2 kB they are
-- moved out of line, where they fill pages better than one or two to a page.
CREATE FUNCTION chunk_partition_create(from_us bigint, to_us bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    name text := 'chunk_' || to_char(to_timestamp(from_us / 1000000)
        AT TIME ZONE 'UTC', 'YYYYMM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE chunk INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE %I ALTER body SET STORAGE EXTERNAL', name);
    EXECUTE format('ALTER TABLE chunk ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)'
      , name, from_us, to_us);
    RETURN true;
END $$;

-- Retention: only one whose samples are all older.
CREATE FUNCTION chunk_partition_drop(name text, before_us bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    used boolean;
BEGIN
    IF NOT is_partition('chunk', name) THEN
        RETURN false;
    END IF;
    LOCK TABLE ONLY chunk IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', name);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE last_us >= $1)', name)
       INTO used USING before_us;
    IF NOT used THEN
        EXECUTE format('DROP TABLE %I', name);
    END IF;
    RETURN NOT used;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;

REVOKE ALL ON FUNCTION frame_partition_create, frame_partition_drop
  , chunk_partition_create, chunk_partition_drop FROM PUBLIC;

CREATE TABLE image_checkpoint (
    hub      text PRIMARY KEY
  , taken_at timestamptz NOT NULL DEFAULT now()
  , body     bytea NOT NULL
);

-- rule: spontaneous, cyclic or event. An aggregated archive has a parent, a
-- calculation and the cycle over which it is calculated.
CREATE TABLE archive (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , datasource_id  integer NOT NULL REFERENCES datasource
  , identification text NOT NULL CHECK (length(identification) BETWEEN 1 AND 64)
  , name           text NOT NULL
  , parent_id      integer REFERENCES archive
  , rule           text NOT NULL DEFAULT 'spontaneous'
                   CHECK (rule IN ('spontaneous', 'cyclic', 'event'))
  , cycle_s        integer CHECK (cycle_s >= 1)
  , calculation    text CHECK (calculation IN ('sum', 'average', 'minimum', 'maximum'))
  , UNIQUE (datasource_id, identification)
  , CHECK ((parent_id IS NULL) = (calculation IS NULL))
  , CHECK (calculation IS NULL OR cycle_s IS NOT NULL)
);

CREATE TABLE archive_variable (
    archive_id  integer NOT NULL REFERENCES archive ON DELETE CASCADE
  , variable_id integer NOT NULL REFERENCES variable
  , PRIMARY KEY (archive_id, variable_id)
);

-- Append-only: the trigger below refuses everything but INSERT.
CREATE TABLE event (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , datasource_id integer NOT NULL
  , variable_id   integer
  , node_id       integer
  , sequence      bigint  -- of the frame that brought it
  , ordinal       integer -- its place in that frame
  , time_us       bigint NOT NULL
  , received_at   timestamptz NOT NULL DEFAULT now()
  , kind          text NOT NULL
  , text          text NOT NULL
  , value         text
  , username      text
  , computer      text
  , UNIQUE (node_id, sequence, ordinal)
);
CREATE INDEX event_datasource_time ON event (datasource_id, time_us);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE screen (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , datasource_id integer NOT NULL REFERENCES datasource
  , name          text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$')
  , title         text NOT NULL
  , svg           text NOT NULL
  , changed_at    timestamptz NOT NULL DEFAULT now()
  , UNIQUE (datasource_id, name)
);

-- Rare changes of what a hub keeps in memory.
CREATE FUNCTION tell_catalog_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('fieldgrid_catalog', TG_TABLE_NAME);
    RETURN NULL;
END $$;
CREATE TRIGGER datasource_tell AFTER INSERT OR UPDATE OR DELETE ON datasource
    FOR EACH STATEMENT EXECUTE FUNCTION tell_catalog_change();
CREATE TRIGGER variable_tell AFTER INSERT OR UPDATE OR DELETE ON variable
    FOR EACH STATEMENT EXECUTE FUNCTION tell_catalog_change();
CREATE TRIGGER node_datasource_tell
    AFTER INSERT OR UPDATE OR DELETE ON node_datasource
    FOR EACH STATEMENT EXECUTE FUNCTION tell_catalog_change();
