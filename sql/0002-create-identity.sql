-- Who may log in, with what, and what they may do.

CREATE TABLE account (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , uuid          uuid NOT NULL UNIQUE
  , name          text NOT NULL UNIQUE CHECK (name = lower(name) AND length(name) BETWEEN 1 AND 128)
  , full_name     text NOT NULL DEFAULT ''
  , email         text NOT NULL DEFAULT ''
  , administrator boolean NOT NULL DEFAULT false
  , state         text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled'))
  , epoch         integer NOT NULL DEFAULT 1 -- counts up when all tokens die
  , created_at    timestamptz NOT NULL DEFAULT now()
);

-- Apart from account: only the identity service reads it.
CREATE TABLE account_password (
    account_id integer PRIMARY KEY REFERENCES account ON DELETE CASCADE
  , hash       text NOT NULL -- argon2id, PHC string
  , changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE client (
    id                     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , client_id              text NOT NULL UNIQUE CHECK (length(client_id) BETWEEN 1 AND 128)
  , name                   text NOT NULL
  , node_id                integer REFERENCES node -- a node's access data
  , grants                 text[] NOT NULL
  , scopes                 text[] NOT NULL
  , redirect_uris          text[] NOT NULL DEFAULT '{}'
  , logout_uris            text[] NOT NULL DEFAULT '{}'
  , origins                text[] NOT NULL DEFAULT '{}'
  , require_pkce           boolean NOT NULL DEFAULT true
  , access_token_s         integer NOT NULL DEFAULT 3600
  , refresh_idle_s         integer NOT NULL DEFAULT 604800
  , refresh_absolute_s     integer NOT NULL DEFAULT 2592000
  , state                  text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled'))
  , epoch                  integer NOT NULL DEFAULT 1
  , created_at             timestamptz NOT NULL DEFAULT now()
);

-- No row = a public client.
CREATE TABLE client_secret (
    client_id integer PRIMARY KEY REFERENCES client ON DELETE CASCADE
  , hash      bytea NOT NULL CHECK (octet_length(hash) = 32) -- SHA-256 of 256 random bits
);

CREATE TABLE signing_key (
    kid            text PRIMARY KEY -- RFC 7638 thumbprint
  , algorithm      text NOT NULL CHECK (algorithm IN ('RS256', 'ES256'))
  , state          text NOT NULL CHECK (state IN ('pending', 'active', 'retiring', 'removed'))
  , public_pem     text NOT NULL
  , created_at     timestamptz NOT NULL DEFAULT now()
  , changed_at     timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX signing_key_one_active ON signing_key (algorithm) WHERE state = 'active';

CREATE TABLE signing_key_private (
    kid    text PRIMARY KEY REFERENCES signing_key ON DELETE CASCADE
  , sealed bytea NOT NULL -- XChaCha20-Poly1305 under the key in the file
);

CREATE TABLE session (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32) -- SHA-256 of the cookie
  , sid        uuid NOT NULL UNIQUE
  , account_id integer NOT NULL REFERENCES account ON DELETE CASCADE
  , csrf       text NOT NULL
  , created_at timestamptz NOT NULL DEFAULT now()
  , seen_at    timestamptz NOT NULL DEFAULT now()
  , expires_at timestamptz NOT NULL -- absolute
  , address    text NOT NULL DEFAULT ''
  , agent      text NOT NULL DEFAULT ''
);

CREATE TABLE authorization_code (
    hash         bytea PRIMARY KEY
  , client_id    integer NOT NULL REFERENCES client ON DELETE CASCADE
  , account_id   integer NOT NULL REFERENCES account ON DELETE CASCADE
  , session_hash bytea NOT NULL
  , redirect_uri text NOT NULL
  , redirect_uri_sent boolean NOT NULL
  , scopes       text[] NOT NULL
  , nonce        text
  , challenge    text -- S256
  , family       uuid NOT NULL
  , auth_time    timestamptz NOT NULL
  , expires_at   timestamptz NOT NULL
  , used_at      timestamptz
);

CREATE TABLE refresh_token (
    hash        bytea PRIMARY KEY
  , family      uuid NOT NULL
  , client_id   integer NOT NULL REFERENCES client ON DELETE CASCADE
  , account_id  integer NOT NULL REFERENCES account ON DELETE CASCADE
  , sid         uuid NOT NULL
  , scopes      text[] NOT NULL
  , auth_time   timestamptz NOT NULL
  , issued_at   timestamptz NOT NULL DEFAULT now()
  , expires_at  timestamptz NOT NULL -- idle
  , dies_at     timestamptz NOT NULL -- absolute
  , used_at     timestamptz
  , revoked_at  timestamptz
);
CREATE INDEX refresh_token_family ON refresh_token (family);
CREATE INDEX refresh_token_sid ON refresh_token (sid);

-- Access tokens of a family are refused from here on until they expire.
CREATE TABLE revoked_family (
    family     uuid PRIMARY KEY
  , expires_at timestamptz NOT NULL
);

CREATE TABLE login_failure (
    subject    text NOT NULL -- pair:HASH IP, address:IP or account:HASH
  , failures   integer NOT NULL
  , blocked_until timestamptz NOT NULL
  , PRIMARY KEY (subject)
);

-- Deny by default, an explicit deny wins. subject_id is account.id or client.id;
-- datasource_id NULL = every datasource. actions is a set of the bits in
-- model/policy.h.
CREATE TABLE policy_rule (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , subject_kind  text NOT NULL CHECK (subject_kind IN ('user', 'client'))
  , subject_id    integer NOT NULL
  , datasource_id integer REFERENCES datasource
  , pattern       text NOT NULL DEFAULT '*'
  , actions       integer NOT NULL
  , effect        text NOT NULL DEFAULT 'allow' CHECK (effect IN ('allow', 'deny'))
);
CREATE INDEX policy_rule_subject ON policy_rule (subject_kind, subject_id);

-- Streams that are open must end, or see less, within a second of a change:
-- whoever holds some listens here and asks again.
CREATE FUNCTION notify_rights() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('fieldgrid_rights', TG_TABLE_NAME);
    RETURN NULL;
END $$;
CREATE TRIGGER session_rights AFTER DELETE ON session
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();
CREATE TRIGGER account_rights
    AFTER DELETE OR UPDATE OF state, epoch, administrator ON account
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();
CREATE TRIGGER client_rights AFTER DELETE OR UPDATE OF state, epoch ON client
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();
CREATE TRIGGER revoked_family_rights AFTER INSERT ON revoked_family
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();
CREATE TRIGGER policy_rule_rights
    AFTER INSERT OR UPDATE OR DELETE ON policy_rule
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();
CREATE TRIGGER node_rights AFTER DELETE OR UPDATE OF state ON node
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();
CREATE TRIGGER node_certificate_rights
    AFTER DELETE OR UPDATE OF revoked_at ON node_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();
