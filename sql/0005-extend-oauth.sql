-- How each client proves who it is, what its tokens are like, and where it is
-- told of a log-out; tokens that are refused one by one.

ALTER TABLE client
    ADD COLUMN trusted boolean NOT NULL DEFAULT false -- one of ours: nobody is asked for consent
  , ADD COLUMN algorithm text NOT NULL DEFAULT 'RS256' CHECK (algorithm IN ('RS256', 'ES256'))
  , ADD COLUMN authentication text NOT NULL DEFAULT 'secret'
        CHECK (authentication IN ('none', 'secret', 'tls_client_auth'))
  , ADD COLUMN certificate_kind text -- RFC 8705 2.1.2: exactly one of them is compared
        CHECK (certificate_kind IN ('subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email'))
  , ADD COLUMN certificate_name text CHECK (length(certificate_name) BETWEEN 1 AND 1000)
  , ADD COLUMN introspects boolean NOT NULL DEFAULT false -- may ask about tokens of other clients
  , ADD COLUMN rotate_refresh boolean NOT NULL DEFAULT true
  , ADD COLUMN refresh_grace_s integer NOT NULL DEFAULT 0 CHECK (refresh_grace_s BETWEEN 0 AND 10)
  , ADD COLUMN backchannel_logout_uri text CHECK (length(backchannel_logout_uri) BETWEEN 1 AND 2000)
  , ADD COLUMN backchannel_session_required boolean NOT NULL DEFAULT false
  , ADD COLUMN home_page text NOT NULL DEFAULT '';

-- Whoever was registered before there was a page to consent on was let in
-- without one.
UPDATE client SET trusted = true;
UPDATE client SET authentication = 'none'
 WHERE NOT EXISTS (SELECT FROM client_secret WHERE client_secret.client_id = client.id);

ALTER TABLE client
    ADD CONSTRAINT client_certificate CHECK (
        (authentication = 'tls_client_auth') = (certificate_kind IS NOT NULL)
        AND (certificate_kind IS NULL) = (certificate_name IS NULL))
  , ADD CONSTRAINT client_public_rotates CHECK (rotate_refresh OR authentication <> 'none')
  , ADD CONSTRAINT client_public_pkce CHECK (require_pkce OR authentication <> 'none');

-- How the person had logged in (RFC 8176), for the ID tokens to come.
ALTER TABLE refresh_token ADD COLUMN amr text[] NOT NULL DEFAULT '{}';

-- One access token each; a whole grant is in revoked_family.
CREATE TABLE revoked_token (
    jti        uuid PRIMARY KEY
  , expires_at timestamptz NOT NULL -- of the token: then nobody asks any more
);
CREATE TRIGGER revoked_token_rights AFTER INSERT ON revoked_token
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();

-- Somebody who stole a key must not get far with it.
CREATE TRIGGER signing_key_rights AFTER UPDATE OF state ON signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION notify_rights();
