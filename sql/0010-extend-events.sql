-- Events with everything that an operator's action leaves, of the whole grid
-- as well, and in the order in which they can be followed.

ALTER TABLE event
    ALTER datasource_id DROP NOT NULL -- NULL: of the grid, such as a log-in
  , ADD old_value    text
  , ADD full_name    text    -- of the user, as it was then
  , ADD comment      text
  , ADD class_number integer -- of the alarm's class; NULL = of none
  , ADD group_number integer
  , ADD about        uuid    -- the alarm or the command
  -- Whoever follows the list reads what its last snapshot did not see.
  , ADD xid          xid8 NOT NULL DEFAULT pg_current_xact_id();

-- What services write has no frame that it could come with twice.
ALTER TABLE event DROP CONSTRAINT event_node_id_sequence_ordinal_key;
CREATE UNIQUE INDEX event_frame ON event (node_id, sequence, ordinal)
  WHERE node_id IS NOT NULL;

DROP INDEX event_datasource_time;
CREATE INDEX event_datasource_time ON event (datasource_id, time_us, id);
CREATE INDEX event_grid_time ON event (time_us, id) WHERE datasource_id IS NULL;
CREATE INDEX event_about ON event (about) WHERE about IS NOT NULL;
CREATE INDEX event_xid ON event (xid, id);
