-- Rights of the services' roles; run by fieldgridctl migrate after every
-- migration, so it grants anew and stays true. Roles are made by setup.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM fieldgrid_hub, fieldgrid_api,
  fieldgrid_identity, fieldgrid_controller, fieldgrid_web, fieldgrid_keeper;

-- Whoever answers requests must know who asks and what they may.
GRANT SELECT ON datasource, variable, node, node_certificate, node_datasource,
  node_status, account, client, session, signing_key, revoked_family,
  policy_rule, policy_version, user_group, group_account, group_nesting, role,
  role_grant TO fieldgrid_hub, fieldgrid_api, fieldgrid_identity,
  fieldgrid_controller, fieldgrid_web, fieldgrid_keeper;

GRANT UPDATE (seen_at) ON session TO fieldgrid_hub, fieldgrid_api,
  fieldgrid_controller, fieldgrid_web, fieldgrid_keeper;

-- Groups, roles and rules are administered by the controller.
GRANT INSERT, UPDATE, DELETE ON user_group, group_account, group_nesting, role,
  role_grant, policy_rule TO fieldgrid_controller;

GRANT INSERT, UPDATE ON variable TO fieldgrid_hub;
GRANT SELECT, INSERT ON frame TO fieldgrid_hub;
GRANT USAGE ON SEQUENCE frame_id_seq TO fieldgrid_hub;
GRANT SELECT, INSERT, UPDATE ON node_position, node_status, image_checkpoint
  TO fieldgrid_hub;
GRANT SELECT ON chunk TO fieldgrid_hub;
GRANT SELECT, INSERT, UPDATE ON feed_reader, feed_position TO fieldgrid_hub;
GRANT SELECT ON feed_era, feed_era_position TO fieldgrid_hub;
GRANT EXECUTE ON FUNCTION feed_era_check TO fieldgrid_hub;
-- Every service leaves events; who reads them is the policy's business.
GRANT INSERT ON event TO fieldgrid_hub, fieldgrid_api, fieldgrid_identity,
  fieldgrid_controller, fieldgrid_web, fieldgrid_keeper;
GRANT SELECT ON event TO fieldgrid_hub;

GRANT SELECT ON frame, chunk, archive, archive_variable, event, screen
  TO fieldgrid_api, fieldgrid_web;

GRANT SELECT, INSERT, UPDATE, DELETE ON account_password, client_secret,
  signing_key, signing_key_private, session, authorization_code,
  refresh_token, revoked_family, login_failure TO fieldgrid_identity;
GRANT SELECT, INSERT, UPDATE, DELETE ON second_factor, recovery_code,
  login_step, consent, device_code TO fieldgrid_identity;
GRANT INSERT, UPDATE, DELETE ON account TO fieldgrid_identity;
GRANT SELECT, INSERT, DELETE ON group_account TO fieldgrid_identity;
GRANT SELECT ON user_group TO fieldgrid_identity;
GRANT SELECT ON logout_notice TO fieldgrid_identity;

-- Clients and single tokens (sql/0005-extend-oauth.sql).
GRANT INSERT, UPDATE, DELETE ON client TO fieldgrid_identity;
GRANT SELECT ON revoked_token TO fieldgrid_hub, fieldgrid_api,
  fieldgrid_identity, fieldgrid_controller, fieldgrid_web, fieldgrid_keeper;
GRANT INSERT ON revoked_token TO fieldgrid_identity;
GRANT DELETE ON revoked_token TO fieldgrid_identity, fieldgrid_keeper;
GRANT UPDATE (epoch) ON account TO fieldgrid_identity;

GRANT SELECT, INSERT ON frame, chunk TO fieldgrid_keeper;
GRANT UPDATE (packed) ON frame TO fieldgrid_keeper;
GRANT SELECT, UPDATE, DELETE ON feed_reader, feed_position TO fieldgrid_keeper;
GRANT SELECT ON node_position TO fieldgrid_keeper;
GRANT DELETE ON frame, chunk, session, authorization_code, refresh_token,
  revoked_family, login_failure TO fieldgrid_keeper;
GRANT USAGE ON SEQUENCE chunk_id_seq TO fieldgrid_keeper;
GRANT EXECUTE ON FUNCTION frame_partition_create, frame_partition_drop
  , chunk_partition_create, chunk_partition_drop TO fieldgrid_keeper;
GRANT INSERT, UPDATE (state, changed_at) ON signing_key TO fieldgrid_keeper;
GRANT SELECT (kid, sealed), INSERT, DELETE ON signing_key_private
  TO fieldgrid_keeper; -- it signs logout tokens
GRANT SELECT (expires_at) ON authorization_code TO fieldgrid_keeper;
GRANT SELECT (dies_at) ON refresh_token TO fieldgrid_keeper;
GRANT SELECT (blocked_until) ON login_failure TO fieldgrid_keeper;

-- Every service adds to the audit and none changes it; when and by which role
-- a row was written is not theirs to say. (Triggers refuse it to the owner.)
GRANT INSERT (actor_kind, actor, subject, client, address, request, action,
  object, result, repeats, old_value, new_value) ON audit_entry
  TO fieldgrid_hub, fieldgrid_api, fieldgrid_identity, fieldgrid_controller,
  fieldgrid_web, fieldgrid_keeper;
GRANT SELECT ON audit_entry, audit_link, audit_checkpoint, audit_pending
  TO fieldgrid_controller, fieldgrid_web, fieldgrid_keeper;
GRANT INSERT ON audit_link, audit_checkpoint TO fieldgrid_keeper;
GRANT DELETE ON audit_pending TO fieldgrid_keeper;

-- Directories: identity asks them at a login, the keeper between logins.
GRANT SELECT ON directory, group_mapping, account_link
  TO fieldgrid_identity, fieldgrid_keeper;
GRANT INSERT, UPDATE, DELETE ON directory, group_mapping, account_link
  TO fieldgrid_identity;
GRANT INSERT ON account TO fieldgrid_identity;
GRANT UPDATE (full_name, email, state, epoch) ON account
  TO fieldgrid_identity, fieldgrid_keeper;
GRANT UPDATE (synced_at, sync_fault) ON directory TO fieldgrid_keeper;
GRANT UPDATE (seen_at, due_at, gone_at) ON account_link TO fieldgrid_keeper;
GRANT INSERT, DELETE ON group_account TO fieldgrid_identity, fieldgrid_keeper;
GRANT SELECT, UPDATE (revoked_at) ON refresh_token TO fieldgrid_keeper;

-- Upstream providers (sql/0009-create-providers.sql).
GRANT SELECT, INSERT, UPDATE, DELETE ON provider, provider_secret,
  provider_cache, provider_transaction TO fieldgrid_identity;
-- Log-outs that clients have to hear of.
GRANT SELECT, UPDATE, DELETE ON logout_notice TO fieldgrid_keeper;
GRANT DELETE ON login_step, device_code TO fieldgrid_keeper;
GRANT SELECT (expires_at) ON login_step, device_code TO fieldgrid_keeper;


-- Nodes: only the controller lets one in, and only it signs.
GRANT SELECT, INSERT, UPDATE, DELETE ON authority, authority_key,
  authority_crl, enrolment_token, enrolment_request, node, node_certificate,
  node_datasource TO fieldgrid_controller;
GRANT INSERT, UPDATE ON client TO fieldgrid_controller;
GRANT SELECT, INSERT, UPDATE, DELETE ON client_secret TO fieldgrid_controller;
GRANT SELECT ON node_position TO fieldgrid_controller;
GRANT SELECT, INSERT, UPDATE, DELETE ON login_failure TO fieldgrid_controller;
GRANT UPDATE (seen_at, key_hash, not_before, revoked_at, reason)
  ON node_certificate TO fieldgrid_hub;

-- Alarms (sql/0011-create-alarms.sql): the hub merges what plants report and
-- keeps their limits; people act by the API; the keeper ends shelving.
GRANT SELECT ON alarm, alarm_hold, alarm_limit, alarm_agent, alarm_category,
  alarm_cause TO fieldgrid_hub, fieldgrid_api, fieldgrid_controller,
  fieldgrid_web, fieldgrid_keeper;
GRANT INSERT, UPDATE ON alarm TO fieldgrid_hub;
GRANT INSERT, UPDATE, DELETE ON alarm_limit, alarm_agent TO fieldgrid_hub;
GRANT INSERT ON alarm_category TO fieldgrid_hub; -- areas that agents name
GRANT UPDATE ON alarm TO fieldgrid_api, fieldgrid_keeper;
GRANT INSERT, UPDATE, DELETE ON alarm_hold TO fieldgrid_api;
GRANT UPDATE, DELETE ON alarm_hold TO fieldgrid_keeper;
GRANT INSERT, UPDATE, DELETE ON alarm_limit, alarm_category, alarm_cause
  TO fieldgrid_controller;
-- Commands: the hub records and ends them (a trigger lets nothing else change).
GRANT SELECT, INSERT, UPDATE ON command, variable_node TO fieldgrid_hub;
GRANT SELECT, INSERT, UPDATE, DELETE ON selection, hub_run, node_stream
  TO fieldgrid_hub;
GRANT SELECT ON command TO fieldgrid_api;

-- The hub evaluates limits that no agent does (sql/0014-evaluate-alarms.sql);
-- the keeper leaves frames that it has not come to.
GRANT SELECT, INSERT, UPDATE, DELETE ON alarm_evaluation, alarm_position
  TO fieldgrid_hub;
GRANT SELECT ON alarm_position TO fieldgrid_keeper;
-- What is old goes by functions that know what may (sql/0016-retain-records.sql).
GRANT EXECUTE ON FUNCTION alarm_retain, event_retain, command_retain
  TO fieldgrid_keeper;
