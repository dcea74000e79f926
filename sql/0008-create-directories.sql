-- People whose accounts are kept elsewhere: directories (LDAP, Active
-- Directory), and who is who across every outside source.

-- Where an account comes from. A password is only ever kept for 'local'.
ALTER TABLE account ADD source text NOT NULL DEFAULT 'local'
    CHECK (source = 'local' OR source ~ '^(ldap|oidc):[a-z0-9]');
CREATE INDEX account_source ON account (source);

-- An outside person is known by what never changes there (entryUUID,
-- objectGUID, the pair of issuer and sub), never by name or e-mail address.
CREATE TABLE account_link (
    issuer     text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 512)
  , subject    text NOT NULL CHECK (length(subject) BETWEEN 1 AND 512)
  , account_id integer NOT NULL REFERENCES account ON DELETE CASCADE
  , created_at timestamptz NOT NULL DEFAULT now()
  , seen_at    timestamptz NOT NULL DEFAULT now() -- the source knew this person last
  , due_at     timestamptz -- ask the source again; NULL = at the next login
  , gone_at    timestamptz -- it does not know, or has disabled, this person
  , PRIMARY KEY (issuer, subject)
);
CREATE INDEX account_link_account ON account_link (account_id);
CREATE INDEX account_link_due ON account_link (issuer, due_at);

-- Members of "external" at "source" are members of the group here.
CREATE TABLE group_mapping (
    source   text NOT NULL -- ldap:NAME or oidc:NAME
  , external text NOT NULL CHECK (length(external) BETWEEN 1 AND 1024)
  , group_id integer NOT NULL REFERENCES user_group ON DELETE CASCADE
  , PRIMARY KEY (source, external, group_id)
);
CREATE INDEX group_mapping_group ON group_mapping (group_id);

CREATE TABLE directory (
    id                  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , uuid                uuid NOT NULL UNIQUE
  , name                text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$')
  , state               text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled'))
  , position            integer NOT NULL -- asked in this order
  , uris                text[] NOT NULL CHECK (cardinality(uris) BETWEEN 1 AND 8)
  , mode                text NOT NULL CHECK (mode IN ('starttls', 'ldaps'))
  , ca                  text NOT NULL DEFAULT '' -- PEM; '' = those of the system
  , bind_dn             text NOT NULL
  , bind_password       bytea NOT NULL -- XChaCha20-Poly1305 under the key in the file
  , base                text NOT NULL
  , user_filter         text NOT NULL -- holds {name}
  , id_attribute        text NOT NULL
  , name_attribute      text NOT NULL
  , full_name_attribute text NOT NULL
  , email_attribute     text NOT NULL
  , group_mode          text NOT NULL CHECK (group_mode IN
        ('none', 'search', 'matching_rule', 'token_groups'))
  , group_base          text NOT NULL DEFAULT '' -- '' = base
  , group_filter        text NOT NULL -- holds {dn}
  , timeout_ms          integer NOT NULL DEFAULT 3000 CHECK (timeout_ms BETWEEN 100 AND 30000)
  , sync_s              integer NOT NULL DEFAULT 900 CHECK (sync_s BETWEEN 10 AND 86400)
  , max_age_s           integer NOT NULL DEFAULT 86400 CHECK (max_age_s BETWEEN 60 AND 2592000)
  , synced_at           timestamptz -- it answered the keeper last
  , sync_fault          text NOT NULL DEFAULT '' -- why the last one failed
  , created_at          timestamptz NOT NULL DEFAULT now()
);
