-- Groups, roles and rules: who may do what to which variables. Deny by
-- default, an explicit deny wins.

CREATE TABLE user_group (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , uuid        uuid NOT NULL UNIQUE DEFAULT gen_random_uuid()
  , name        text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128)
  , description text NOT NULL DEFAULT ''
  , require_second_factor boolean NOT NULL DEFAULT false
  , created_at  timestamptz NOT NULL DEFAULT now()
);

-- source: '' = an administrator said so, else the directory or provider that
-- does (ldap:NAME, oidc:NAME); the same membership may have several sources.
CREATE TABLE group_account (
    group_id   integer NOT NULL REFERENCES user_group ON DELETE CASCADE
  , account_id integer NOT NULL REFERENCES account ON DELETE CASCADE
  , source     text NOT NULL DEFAULT ''
  , PRIMARY KEY (group_id, account_id, source)
);
CREATE INDEX group_account_account ON group_account (account_id);

-- Members of member_id are members of group_id as well.
CREATE TABLE group_nesting (
    group_id  integer NOT NULL REFERENCES user_group ON DELETE CASCADE
  , member_id integer NOT NULL REFERENCES user_group ON DELETE CASCADE
  , PRIMARY KEY (group_id, member_id)
  , CHECK (group_id <> member_id)
);
CREATE INDEX group_nesting_member ON group_nesting (member_id);

-- One change at a time, so that two halves of a circle cannot meet.
CREATE FUNCTION refuse_group_cycle() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('group_nesting'));
    IF EXISTS (
        WITH RECURSIVE inside(id) AS (
            SELECT NEW.member_id
             UNION
            SELECT nesting.member_id
              FROM group_nesting AS nesting
              JOIN inside ON nesting.group_id = inside.id)
        SELECT FROM inside WHERE id = NEW.group_id) THEN
        RAISE EXCEPTION 'a group cannot contain itself'
              USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER group_nesting_no_cycle BEFORE INSERT OR UPDATE ON group_nesting
    FOR EACH ROW EXECUTE FUNCTION refuse_group_cycle();

-- What a role may is told by rules of subject kind role.
CREATE TABLE role (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , uuid        uuid NOT NULL UNIQUE DEFAULT gen_random_uuid()
  , name        text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128)
  , description text NOT NULL DEFAULT ''
  , built_in    boolean NOT NULL DEFAULT false -- it and its rules stay
  , created_at  timestamptz NOT NULL DEFAULT now()
);

-- subject_id is that of the account, user_group, client or node; 0 of
-- everyone. datasource_id NULL = every datasource.
CREATE TABLE role_grant (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , uuid          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid()
  , role_id       integer NOT NULL REFERENCES role ON DELETE CASCADE
  , subject_kind  text NOT NULL
                  CHECK (subject_kind IN ('everyone', 'user', 'group', 'client', 'node'))
  , subject_id    integer NOT NULL
  , datasource_id integer REFERENCES datasource ON DELETE CASCADE
  , created_at    timestamptz NOT NULL DEFAULT now()
  , UNIQUE NULLS NOT DISTINCT (role_id, subject_kind, subject_id, datasource_id)
  , CHECK ((subject_kind = 'everyone') = (subject_id = 0))
);
CREATE INDEX role_grant_subject ON role_grant (subject_kind, subject_id);

-- names: exactly these variables; pattern is '' then.
ALTER TABLE policy_rule
    DROP CONSTRAINT policy_rule_subject_kind_check
  , DROP CONSTRAINT policy_rule_datasource_id_fkey
  , ADD uuid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid()
  , ADD names text[]
  , ADD description text NOT NULL DEFAULT ''
  , ADD created_at timestamptz NOT NULL DEFAULT now()
  , ADD FOREIGN KEY (datasource_id) REFERENCES datasource ON DELETE CASCADE
  , ADD CHECK (subject_kind IN ('everyone', 'user', 'group', 'role', 'client', 'node'))
  , ADD CHECK ((subject_kind = 'everyone') = (subject_id = 0))
  , ADD CHECK (actions BETWEEN 1 AND 511)
  , ADD CHECK ((names IS NULL) <> (pattern = '')) NOT VALID
  , ADD CHECK (octet_length(pattern) <= 256) NOT VALID;

-- Who is gone has no rights that somebody after him could find.
CREATE FUNCTION forget_subject() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM policy_rule
     WHERE subject_kind = TG_ARGV[0] AND subject_id = OLD.id;
    DELETE FROM role_grant
     WHERE subject_kind = TG_ARGV[0] AND subject_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER account_forget AFTER DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION forget_subject('user');
CREATE TRIGGER user_group_forget AFTER DELETE ON user_group
    FOR EACH ROW EXECUTE FUNCTION forget_subject('group');
CREATE TRIGGER role_forget AFTER DELETE ON role
    FOR EACH ROW EXECUTE FUNCTION forget_subject('role');
CREATE TRIGGER client_forget AFTER DELETE ON client
    FOR EACH ROW EXECUTE FUNCTION forget_subject('client');
CREATE TRIGGER node_forget AFTER DELETE ON node
    FOR EACH ROW EXECUTE FUNCTION forget_subject('node');

-- Compiled policies are good as long as this number stays.
CREATE TABLE policy_version (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single)
  , version bigint NOT NULL
);
INSERT INTO policy_version (version) VALUES (1);

-- A statement that changed no row changes no rights and wakes nobody.
CREATE FUNCTION tell_policy_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM changed) THEN
        UPDATE policy_version SET version = version + 1;
        PERFORM pg_notify('fieldgrid_rights', TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER policy_rule_rights ON policy_rule;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['user_group', 'group_account', 'group_nesting'
          , 'role', 'role_grant', 'policy_rule'] LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I'
            ' REFERENCING NEW TABLE AS changed'
            ' FOR EACH STATEMENT EXECUTE FUNCTION tell_policy_change()'
          , name || '_tell_insert', name);
        EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I'
            ' REFERENCING NEW TABLE AS changed'
            ' FOR EACH STATEMENT EXECUTE FUNCTION tell_policy_change()'
          , name || '_tell_update', name);
        EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %I'
            ' REFERENCING OLD TABLE AS changed'
            ' FOR EACH STATEMENT EXECUTE FUNCTION tell_policy_change()'
          , name || '_tell_delete', name);
    END LOOP;
END $$;

-- Ready-made roles, the first two as in the original product. The bits of
-- actions are in model/policy.h.
WITH made AS (
    INSERT INTO role (name, description, built_in) VALUES
        ('ReadAll', 'Reads values, history, alarms, events and reports', true)
      , ('WriteVariables', 'Sets values', true)
      , ('Technician', 'Reads everything and acknowledges alarms', true)
      , ('Operator', 'Reads everything, sets values, acknowledges alarms', true)
      , ('Engineer', 'As Operator, and configures plants', true)
      , ('Administrator', 'May do everything', true)
    RETURNING id, name)
INSERT INTO policy_rule (subject_kind, subject_id, pattern, actions)
SELECT 'role', made.id, '*', bits.actions
  FROM made
  JOIN (VALUES ('ReadAll', 107), ('WriteVariables', 4), ('Technician', 123)
             , ('Operator', 127), ('Engineer', 255), ('Administrator', 511))
       AS bits (name, actions) USING (name);
