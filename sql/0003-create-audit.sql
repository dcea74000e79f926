-- The audit: who did what, when, from where, with which result. Rows are only
-- ever added. The keeper, one at a time, links them into a chain of hashes and
-- signs how far it has come; doc/AUDIT.md has the form that is hashed.

CREATE TABLE audit_entry (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  -- id, at and writer are never given by a service, the grants see to that
  , at         timestamptz NOT NULL DEFAULT clock_timestamp()
  , writer     text NOT NULL DEFAULT session_user -- the service's role
  , actor_kind text NOT NULL CHECK (actor_kind IN ('nobody', 'user', 'client', 'node', 'operator', 'service'))
  , actor      text NOT NULL CHECK (length(actor) <= 160)
  , subject    text NOT NULL CHECK (length(subject) <= 160)
  , client     text NOT NULL CHECK (length(client) <= 160)
  , address    text NOT NULL CHECK (length(address) <= 64)
  , request    text NOT NULL CHECK (length(request) <= 32)
  , action     text NOT NULL CHECK (action ~ '^[a-z][a-z_.]{0,47}$')
  , object     text NOT NULL CHECK (length(object) <= 320)
  , result     text NOT NULL CHECK (result IN ('ok', 'refused', 'failed'))
  , repeats    integer NOT NULL DEFAULT 1 CHECK (repeats >= 1)
  , old_value  json
  , new_value  json
);
CREATE INDEX audit_entry_at ON audit_entry (at);
CREATE INDEX audit_entry_actor ON audit_entry (actor text_pattern_ops, id);
CREATE INDEX audit_entry_action ON audit_entry (action text_pattern_ops, id);
CREATE INDEX audit_entry_object ON audit_entry (object text_pattern_ops, id);

-- What the keeper has not linked yet: commits do not come in the order of ids.
CREATE TABLE audit_pending (
    entry_id bigint PRIMARY KEY
);

CREATE TABLE audit_link (
    position bigint PRIMARY KEY CHECK (position >= 1) -- without a gap
  , entry_id bigint NOT NULL UNIQUE
  , hash     bytea NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE TABLE audit_checkpoint (
    position   bigint PRIMARY KEY
  , hash       bytea NOT NULL CHECK (octet_length(hash) = 32)
  , made_at    timestamptz NOT NULL
  , key_id     text NOT NULL
  , signature  bytea NOT NULL CHECK (octet_length(signature) = 64) -- Ed25519
);

CREATE FUNCTION audit_await_link() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_pending (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_entry_pending AFTER INSERT ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_await_link();

-- Not even the owner, by mistake.
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the audit is only added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entry_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_link_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_checkpoint_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
