-- Upstream OpenID providers: who else may say who somebody is.

CREATE TABLE provider (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , name            text NOT NULL UNIQUE -- of the callback, /signin-<name>
      CHECK (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(name) <= 32)
  , title           text NOT NULL CHECK (length(title) BETWEEN 1 AND 64) -- on its button
  , issuer          text NOT NULL UNIQUE CHECK (issuer LIKE 'https://%')
  , client_id       text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 256)
  , authentication  text NOT NULL DEFAULT 'client_secret_post'
      CHECK (authentication IN ('client_secret_post', 'client_secret_basic', 'none'))
  , scopes          text[] NOT NULL DEFAULT '{openid,profile,email}'
  , hosts           text[] NOT NULL DEFAULT '{}' -- beside the issuer's own
  , authority_pem   text NOT NULL DEFAULT '' -- who signed its server; '' = the system's list
  , subject         text NOT NULL DEFAULT 'sub' CHECK (subject IN ('sub', 'tid+oid'))
  , name_claim      text NOT NULL DEFAULT 'preferred_username'
  , groups_claim    text NOT NULL DEFAULT '' -- '' = its groups mean nothing here
  , factor_values   text[] NOT NULL DEFAULT '{}' -- of amr or acr that are a second factor
  , create_accounts boolean NOT NULL DEFAULT true -- at the first login
  , state           text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled'))
  , created_at      timestamptz NOT NULL DEFAULT now()
  , changed_at      timestamptz NOT NULL DEFAULT now()
);

-- Apart from provider: only the identity service reads it.
CREATE TABLE provider_secret (
    provider_id integer PRIMARY KEY REFERENCES provider ON DELETE CASCADE
  , sealed      bytea NOT NULL -- XChaCha20-Poly1305 under the key in the file
);

-- What a provider published, for all workers; and how it went lately.
CREATE TABLE provider_cache (
    provider_id   integer PRIMARY KEY REFERENCES provider ON DELETE CASCADE
  , metadata      text -- its discovery document
  , keys          text -- its JWK set
  , fetched_at    timestamptz -- both of them
  , tried_at      timestamptz -- the last try, good or bad
  , failures      integer NOT NULL DEFAULT 0 -- in a row
  , problem       text NOT NULL DEFAULT '' -- of the last one
  , blocked_until timestamptz -- its token endpoint did not answer
);

-- A login that has been sent to a provider and is not back yet. Nonce and PKCE
-- verifier are made from the cookie of the browser and the state, so nothing in
-- here helps whoever reads it.
CREATE TABLE provider_transaction (
    hash         bytea PRIMARY KEY CHECK (octet_length(hash) = 32) -- SHA-256 of the state
  , browser      bytea NOT NULL CHECK (octet_length(browser) = 32) -- SHA-256 of the cookie
  , provider_id  integer NOT NULL REFERENCES provider ON DELETE CASCADE
  , next         text NOT NULL -- path to go to
  , fresh        boolean NOT NULL DEFAULT false -- the person must prove it anew
  , session_hash bytea -- whose account is to be linked; NULL = a login
  , address      text NOT NULL
  , created_at   timestamptz NOT NULL DEFAULT now()
  , expires_at   timestamptz NOT NULL
);
CREATE INDEX provider_transaction_address ON provider_transaction (address, expires_at);
CREATE INDEX provider_transaction_expires ON provider_transaction (expires_at);
