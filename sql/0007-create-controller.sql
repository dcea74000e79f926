-- Nodes enrol, renew and are shut out: the grid's own authority.

-- Authorities that sign certificates of nodes. The newest that is active signs;
-- the root, which signed these, is only in files.
CREATE TABLE authority (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , key_id      text NOT NULL UNIQUE -- subject key identifier, hexadecimal
  , certificate text NOT NULL -- PEM
  , not_before  timestamptz NOT NULL
  , not_after   timestamptz NOT NULL
  , created_at  timestamptz NOT NULL DEFAULT now()
);

-- Apart from authority: of the services only the controller reads it.
CREATE TABLE authority_key (
    authority_id integer PRIMARY KEY REFERENCES authority ON DELETE CASCADE
  , sealed       bytea NOT NULL -- XChaCha20-Poly1305 under the key in the file
);

-- The newest list of revoked certificates of each authority.
CREATE TABLE authority_crl (
    authority_id integer PRIMARY KEY REFERENCES authority ON DELETE CASCADE
  , number       bigint NOT NULL
  , made_at      timestamptz NOT NULL
  , next_at      timestamptz NOT NULL
  , der          bytea NOT NULL
);

-- What is known of certificates from before is only their end.
ALTER TABLE node_certificate
    ADD COLUMN authority_id integer REFERENCES authority
  , ADD COLUMN not_before timestamptz
  , ADD COLUMN key_hash   bytea CHECK (octet_length(key_hash) = 32) -- SHA-256 of the public key
  , ADD COLUMN issued_at  timestamptz NOT NULL DEFAULT now()
  , ADD COLUMN seen_at    timestamptz -- first beat over it
  , ADD COLUMN certificate text -- PEM
  , ADD COLUMN reason     text CHECK (reason IN ('superseded', 'revoked', 'retired'));
CREATE INDEX node_certificate_node ON node_certificate (node_id);
CREATE INDEX node_certificate_key ON node_certificate (key_hash);

ALTER TABLE node
    ADD COLUMN description    text NOT NULL DEFAULT '' CHECK (length(description) <= 1000)
  , ADD COLUMN needs_approval boolean NOT NULL DEFAULT false
  , ADD COLUMN changed_at     timestamptz NOT NULL DEFAULT now() -- of its state
  -- its access data wait for it, or were fetched over this certificate
  , ADD COLUMN access_due         boolean NOT NULL DEFAULT false
  , ADD COLUMN access_fingerprint bytea;

-- One for a node: a new one takes the place of the old one.
CREATE TABLE enrolment_token (
    node_id    integer PRIMARY KEY REFERENCES node ON DELETE CASCADE
  , hash       bytea NOT NULL CHECK (octet_length(hash) = 32) -- SHA-256 of 128 random bits
  , created_at timestamptz NOT NULL DEFAULT now()
  , expires_at timestamptz NOT NULL
  , wrong      smallint NOT NULL DEFAULT 0 -- attempts with another token
  , used_at    timestamptz
);

-- A key that asks to become a node's, until an administrator has looked at it.
CREATE TABLE enrolment_request (
    node_id     integer PRIMARY KEY REFERENCES node ON DELETE CASCADE
  , key_hash    bytea NOT NULL CHECK (octet_length(key_hash) = 32)
  , address     text NOT NULL
  , asked_at    timestamptz NOT NULL DEFAULT now()
  , approved_at timestamptz
);

CREATE TRIGGER node_datasource_rights
    AFTER INSERT OR UPDATE OR DELETE ON node_datasource
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();
