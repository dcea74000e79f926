-- Where the agent of a node runs: a second one with a copy of its spool is
-- refused, also by a hub that has just started.
ALTER TABLE node_position ADD place text NOT NULL DEFAULT '';
