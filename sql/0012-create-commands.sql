-- Commands: values that somebody wants written to variables of a plant.

-- Who brings a variable, and so who can write it; the latest one first.
CREATE TABLE variable_node (
    variable_id integer NOT NULL REFERENCES variable
  , node_id     integer NOT NULL REFERENCES node
  , declared_at timestamptz NOT NULL DEFAULT now()
  , PRIMARY KEY (variable_id, node_id)
) WITH (fillfactor = 70);

-- Whether a variable has to be selected before it is written.
ALTER TABLE variable ADD COLUMN select_first boolean NOT NULL DEFAULT false;

-- One row per command, written before the command is sent. Expiry is counted
-- on the steady clock of the hub's machine: microseconds since its start
-- "boot". A state other than sent is for ever.
CREATE TABLE command (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , id            uuid NOT NULL UNIQUE
  , datasource_id integer NOT NULL REFERENCES datasource
  , variable_id   integer NOT NULL REFERENCES variable
  , node_id       integer REFERENCES node -- NULL: it was not sent to any
  , hub           text NOT NULL -- the one that was asked
  , run           uuid NOT NULL -- and its process (hub_run)
  , boot          uuid NOT NULL
  , expires_us    bigint NOT NULL
  , expires_ms    integer NOT NULL -- as it was asked for
  , value         text NOT NULL -- JSON, as are the next two
  , expected      text
  , old_value     text -- when it was written, as the plant said
  , new_value     text -- what the device has since, as it confirmed
  , new_status    bigint
  , new_at        timestamptz
  , comment       text NOT NULL DEFAULT '' CHECK (length(comment) <= 1024)
  , actor_kind    text NOT NULL
  , actor         text NOT NULL
  , subject       text NOT NULL
  , client        text NOT NULL
  , address       text NOT NULL
  , request       text NOT NULL
  , state         text NOT NULL CHECK (state IN
                  ('sent', 'confirmed', 'failed', 'refused', 'expired'))
  , code          text NOT NULL DEFAULT '' -- errorCode of one that was not confirmed
  , message       text NOT NULL DEFAULT ''
  , late_state    text -- what the plant said after the command was over
  , created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
  , changed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX command_datasource ON command (datasource_id, number);
CREATE INDEX command_variable ON command (variable_id, number);
CREATE INDEX command_open ON command (number) WHERE state = 'sent';

CREATE FUNCTION command_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE'
       OR (OLD.state <> 'sent' AND (NEW.state, NEW.code, NEW.message, NEW.old_value, NEW.new_value)
           IS DISTINCT FROM (OLD.state, OLD.code, OLD.message, OLD.old_value, OLD.new_value))
       OR OLD.late_state IS NOT NULL
       OR (NEW.id, NEW.variable_id, NEW.node_id, NEW.value, NEW.subject, NEW.expires_us)
           IS DISTINCT FROM
          (OLD.id, OLD.variable_id, OLD.node_id, OLD.value, OLD.subject, OLD.expires_us) THEN
        RAISE EXCEPTION 'command %: what has been recorded stands', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER command_stands BEFORE UPDATE OR DELETE ON command
    FOR EACH ROW EXECUTE FUNCTION command_guard();

-- Select before operate: who alone may write a variable now, and until when;
-- hubs on other machines go by the database's clock.
CREATE TABLE selection (
    variable_id integer PRIMARY KEY REFERENCES variable
  , id          uuid NOT NULL UNIQUE
  , subject     text NOT NULL
  , actor       text NOT NULL
  , boot        uuid NOT NULL
  , expires_us  bigint NOT NULL
  , expires_at  timestamptz NOT NULL
  , created_at  timestamptz NOT NULL DEFAULT now()
);

-- The processes of fieldgrid-hub over this database. "beats" rises every
-- second: one whose beats stand still is dead, and the others count for how
-- long by clocks that nobody can set.
CREATE TABLE hub_run (
    id      uuid PRIMARY KEY
  , name    text NOT NULL -- [hub] name
  , beats   bigint NOT NULL DEFAULT 0
  , beat_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Where a node's stream ends, over which it gets commands, and what the events
-- have told of that.
CREATE TABLE node_stream (
    node_id    integer PRIMARY KEY REFERENCES node ON DELETE CASCADE
  , run        uuid -- of hub_run; NULL: the node has none
  , hub        text NOT NULL -- the name of the hub that has or had it
  , address    text NOT NULL -- of the node, as the hub saw it
  , opened_at  timestamptz NOT NULL DEFAULT clock_timestamp()
  , ended_at   timestamptz -- NULL: it has not, as far as is known
  , told       boolean NOT NULL -- the last event says that it is connected
) WITH (fillfactor = 50);
