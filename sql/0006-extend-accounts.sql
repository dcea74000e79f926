-- Passwords that must be replaced, second factors, consent, devices, and the
-- notices that clients get when a session ends.

ALTER TABLE account_password
    ADD must_change boolean NOT NULL DEFAULT false -- an initial one: good for one login
  , ADD expires_at timestamptz;                    -- and only until then

ALTER TABLE account ADD last_login_at timestamptz;

-- How, and by whose word (an issuer of federation) the person was recognised.
ALTER TABLE session
    ADD amr text[] NOT NULL DEFAULT '{pwd}' -- RFC 8176
  , ADD issuer text NOT NULL DEFAULT 'local';
CREATE INDEX session_account ON session (account_id);

-- TOTP (RFC 6238), from the moment on that the person has shown a code of it.
CREATE TABLE second_factor (
    account_id   integer PRIMARY KEY REFERENCES account ON DELETE CASCADE
  , sealed       bytea NOT NULL -- as signing_key_private
  , last_step    bigint NOT NULL DEFAULT 0 -- codes up to here were used
  , created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recovery_code (
    account_id integer NOT NULL REFERENCES second_factor (account_id) ON DELETE CASCADE
  , hash       bytea NOT NULL CHECK (octet_length(hash) = 32)
  , PRIMARY KEY (account_id, hash)
);

-- Somebody who has shown a password, but is not logged in yet.
CREATE TABLE login_step (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32) -- SHA-256 of the cookie
  , account_id integer NOT NULL REFERENCES account ON DELETE CASCADE
  , csrf       text NOT NULL
  , amr        text[] NOT NULL
  , issuer     text NOT NULL
  , next       text NOT NULL
  , created_at timestamptz NOT NULL DEFAULT now()
  , expires_at timestamptz NOT NULL DEFAULT now() + interval '10 minutes'
);

CREATE TABLE consent (
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE
  , client_id  integer NOT NULL REFERENCES client ON DELETE CASCADE
  , scopes     text[] NOT NULL
  , given_at   timestamptz NOT NULL DEFAULT now()
  , PRIMARY KEY (account_id, client_id)
);

-- RFC 8628. The device asks with one code, the person types the other.
CREATE TABLE device_code (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32)
  , user_hash  bytea NOT NULL UNIQUE CHECK (octet_length(user_hash) = 32)
  , client_id  integer NOT NULL REFERENCES client ON DELETE CASCADE
  , scopes     text[] NOT NULL
  , address    text NOT NULL
  , state      text NOT NULL DEFAULT 'pending'
               CHECK (state IN ('pending', 'approved', 'denied', 'used'))
  , account_id integer REFERENCES account ON DELETE CASCADE -- who decided
  , auth_time  timestamptz
  , amr        text[]
  , sid        uuid NOT NULL -- of the grant: it outlives the browser's session
  , family     uuid NOT NULL
  , interval_s integer NOT NULL DEFAULT 5
  , polled_at  timestamptz
  , created_at timestamptz NOT NULL DEFAULT now()
  , expires_at timestamptz NOT NULL
  , CHECK ((state = 'approved' OR state = 'used') <= (account_id IS NOT NULL))
);

-- OpenID Connect Back-Channel Logout 1.0: what the keeper has to tell.
CREATE TABLE logout_notice (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
  , client_id  integer NOT NULL REFERENCES client ON DELETE CASCADE
  , subject    uuid NOT NULL -- account.uuid
  , sid        uuid NOT NULL
  , tries      integer NOT NULL DEFAULT 0
  , created_at timestamptz NOT NULL DEFAULT now()
  , due_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX logout_notice_due ON logout_notice (due_at);

-- Whatever ends a session that was alive tells the clients that used it: a
-- logout, an administrator, a disabled account, a new password.
CREATE FUNCTION notice_logout() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO logout_notice (client_id, subject, sid)
    SELECT client.id, account.uuid, OLD.sid
      FROM account, client
     WHERE account.id = OLD.account_id
       AND client.backchannel_logout_uri IS NOT NULL
       AND client.state = 'active'
       AND (EXISTS (SELECT FROM authorization_code AS code
                     WHERE code.session_hash = OLD.hash
                       AND code.client_id = client.id
                       AND code.used_at IS NOT NULL)
            OR EXISTS (SELECT FROM refresh_token
                        WHERE refresh_token.sid = OLD.sid
                          AND refresh_token.client_id = client.id));
    IF FOUND THEN
        PERFORM pg_notify('fieldgrid_logout', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER session_notice AFTER DELETE ON session
    FOR EACH ROW WHEN (OLD.expires_at > now()
                       AND OLD.seen_at > now() - interval '30 minutes')
    EXECUTE FUNCTION notice_logout();
CREATE INDEX authorization_code_session ON authorization_code (session_hash);
