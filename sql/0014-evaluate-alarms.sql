-- Limits that the hub evaluates: what it remembers of each datasource, and how
-- far it has come with the frames of each node. Both change in the transaction
-- that writes the alarms, so each frame counts once. version: who saves the
-- state must have read the one before.
CREATE TABLE alarm_evaluation (
    datasource_id integer PRIMARY KEY REFERENCES datasource ON DELETE CASCADE
  , version       bigint NOT NULL DEFAULT 1
  , state         bytea NOT NULL
);

-- Nodes whose frames are evaluated. The keeper leaves frames beyond.
CREATE TABLE alarm_position (
    node_id  integer PRIMARY KEY REFERENCES node ON DELETE CASCADE
  , sequence bigint NOT NULL
) WITH (fillfactor = 50);
