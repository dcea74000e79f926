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
