// Access tokens at the services: signatures, times, audiences, certificates.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import * as jose from 'jose';
import {
  all, basic, cc, Client, gridFetch, invalidToken, makeCertificate, openClients, pkce, refused, words,
} from '../support/oauth.mjs';

const run = process.pid;
const clients = await openClients();
const { grid, oidc, app, machine, cookie, signer, api, userinfo, machineToken, claims } = clients;

after(() => clients.close());

// --- bearer tokens, RFC 6750 ---------------------------------------------------------------

test('every service answers about tokens as RFC 6750 has it', async () => {
  const good = await machineToken();
  const scopeless = (await app.tokens(cookie, { scope: 'openid' })).access_token;
  const doors = {
    api: '/api/v1/datasources',
    hub: `/api/v1/datasources/${randomUUID()}/variables/query`,
    controller: '/api/v1/admin/audit',
    admin: '/api/v1/admin/clients',
    userinfo: '/connect/userinfo',
  };
  for (const [name, path] of Object.entries(doors)) {
    const ask = (headers, query = '') => grid.request(path + query, { headers, ...(name === 'hub' && { body: {} }) });
    const nobody = await ask({});
    assert.equal(nobody.status, 401, name);
    assert.equal(nobody.headers['www-authenticate'], 'Bearer realm="fieldgrid"', name);
    invalidToken(await ask({ authorization: 'Bearer x.y.z' }));
    invalidToken(await ask({ authorization: `bEARER ${await signer.sign(claims({ exp: 1 }))}` }));
    for (const header of ['Bearer', 'Bearer ', 'Bearer a b', 'Bearer "x"', 'Bearer {x}']) {
      const malformed = await ask({ authorization: header });
      assert.equal(malformed.status, 400, `${name} ${header}`);
      assert.match(malformed.headers['www-authenticate'], /^Bearer realm="fieldgrid", error="invalid_request"/, name);
    }
    const twice = await ask({ authorization: `Bearer ${good}` }, `?access_token=${good}`);
    assert.equal(twice.status, 400, name);
    assert.match(twice.headers['www-authenticate'], /error="invalid_request"/);
    const query = await ask({}, `?access_token=${good}`);
    assert.equal(query.status, 401, name);
    if (name === 'userinfo') continue;
    const narrow = await ask({ authorization: `Bearer ${scopeless}` });
    assert.equal(narrow.status, 403, name);
    assert.match(narrow.headers['www-authenticate'],
      /^Bearer realm="fieldgrid", error="insufficient_scope", error_description="[^"]+", scope="API"$/, name);
  }
  const noOpenid = await userinfo((await app.tokens(cookie, { scope: 'API' })).access_token);
  assert.equal(noOpenid.status, 403);
  assert.match(noOpenid.headers['www-authenticate'], /error="insufficient_scope", scope="openid"/);
  const body = await grid.request('/connect/userinfo',
    { form: { access_token: good }, headers: { authorization: `Bearer ${good}` } });
  assert.equal(body.status, 400);
  assert.equal((await grid.request('/connect/userinfo', { cookie })).status, 401);
});

test('asvs 9.1.1: changed, stripped and replaced signatures are refused', async () => {
  const good = await signer.sign(claims());
  assert.notEqual((await api(good)).status, 401);
  const [head, body, signature] = good.split('.');
  const flip = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  const other = Buffer.from(JSON.stringify(claims({ scope: 'API hub' }))).toString('base64url');
  for (const token of [`${head}.${body}.`, `${head}.${body}`, `${head}.${other}.${signature}`,
    `${head}.${body}.${flip(signature, 10)}`, `${flip(head, 20)}.${body}.${signature}`, `${good}.x`, `${good}==`])
    assert.equal((await api(token)).status, 401, token.slice(-30));
});

test('asvs 9.1.2: the algorithm is that of the key, never none or HMAC', async () => {
  const header = (fields) => Buffer.from(JSON.stringify(fields)).toString('base64url');
  const body = Buffer.from(JSON.stringify(claims())).toString('base64url');
  const { createHmac } = await import('node:crypto');
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    const text = `${header({ alg, typ: 'JWT', kid: signer.kid })}.${body}`;
    const hash = `sha${alg.slice(2)}`;
    for (const key of [signer.publicPem, signer.publicPem.trim(), ''])
      invalidToken(await api(`${text}.${createHmac(hash, key).update(text).digest('base64url')}`));
  }
  for (const alg of ['none', 'None', 'NONE', ''])
    for (const kid of [signer.kid, undefined])
      invalidToken(await api(`${header({ alg, typ: 'JWT', kid })}.${body}.`));
  const { privateKey } = await jose.generateKeyPair('ES256');
  const confused = await new jose.CompactSign(Buffer.from(JSON.stringify(claims())))
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: signer.kid }).sign(privateKey);
  invalidToken(await api(confused));
  invalidToken(await api(await signer.sign(claims(), { kid: 'unknown' })));
  invalidToken(await api(await signer.sign(claims(), { kid: undefined })));
});

test('asvs 9.1.3: keys come from us alone; headers that bring some are refused', async () => {
  const http = await import('node:http');
  let fetched = 0;
  const server = http.createServer((request, response) => { fetched++; response.end('{"keys":[]}'); });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/keys`;
  const { publicKey, privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
  const jwk = await jose.exportJWK(publicKey);
  for (const extra of [{ jku: url }, { x5u: url }, { jwk }, { x5c: ['AAAA'] }]) {
    invalidToken(await api(await signer.sign(claims(), extra)));
    for (const kid of [signer.kid, 'mine'])
      invalidToken(await api(await new jose.CompactSign(Buffer.from(JSON.stringify(claims())))
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid, ...extra }).sign(privateKey)));
  }
  invalidToken(await api(await signer.sign(claims(), { crit: ['exp'], exp: 1 })));
  assert.equal(fetched, 0);
  server.close();
});

test('asvs 9.2.1: expired and premature tokens are refused, with a minute for clocks', async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const extra of [{ exp: now - 1 }, { exp: 1 }, { exp: undefined }, { exp: String(now + 60) }, { exp: 1e300 },
    { exp: now + 0.5 }, { nbf: now + 90 }, { nbf: 9999999999 }, { iat: now + 90 }])
    invalidToken(await api(await signer.sign(claims(extra))));
  for (const extra of [{ nbf: now + 30, iat: now + 30 }, { nbf: undefined }])
    assert.notEqual((await api(await signer.sign(claims(extra)))).status, 401, JSON.stringify(extra));
});

test('asvs 9.2.2: an ID token opens no API, an access token is no ID token', async () => {
  const tokens = await app.tokens(cookie, { scope: 'openid API' });
  invalidToken(await api(tokens.id_token));
  invalidToken(await userinfo(tokens.id_token));
  invalidToken(await api(await signer.sign(claims({ token_use: 'id' }))));
  invalidToken(await api(await signer.sign(claims({ token_use: undefined }))));
  const page = await grid.request(`/connect/endsession?${new URLSearchParams({
    id_token_hint: tokens.access_token, post_logout_redirect_uri: 'https://app.test/bye',
  })}`, { cookie });
  assert.equal(page.headers.location, undefined); // it asks, or says that the hint is wrong
});

test('asvs 9.2.3: a token for somebody else is refused', async () => {
  for (const extra of [{ aud: 'fieldgrid-hub' }, { aud: 'other' }, { aud: [] }, { aud: ['other'] }, { aud: undefined },
    { aud: { 'fieldgrid-api': 1 } }, { iss: 'https://evil.test' }, { iss: `${grid.url}/` }, { iss: undefined }])
    invalidToken(await api(await signer.sign(claims(extra))));
  assert.notEqual((await api(await signer.sign(claims({ aud: ['x', 'fieldgrid-api'] })))).status, 401);
});

test('asvs 10.3.1: hub and API each take only their own tokens', async () => {
  const node = grid.enrol(`o-aud-${run}`, `${randomUUID()}:o-aud-${run}`);
  const bound = await node.token();
  invalidToken(await api(bound));
  const reply = await node.request('/hub/v1/position', { token: await machineToken() });
  assert.equal(reply.status, 401, reply.text);
  node.close();
});

test('asvs 10.3.2: scopes and subject decide together', async () => {
  const plain = grid.addUser(`o-plain-${run}`);
  const own = await grid.logIn(plain);
  const tokens = await app.tokens(own, { scope: 'openid API' });
  const users = (token) => grid.request('/api/v1/admin/users', { token });
  assert.equal((await users(tokens.access_token)).status, 403); // the scope, not the right
  const admin = await grid.logIn();
  const narrow = await app.tokens(admin, { scope: 'openid profile' });
  const denied = await users(narrow.access_token);
  assert.equal(denied.status, 403); // the right, not the scope
  assert.match(denied.headers['www-authenticate'], /insufficient_scope/);
  assert.equal((await users((await app.tokens(admin, { scope: 'API' })).access_token)).status, 200);
});

test('epochs: a new secret of a user, a disabled client and its tokens', async () => {
  const gone = new Client(grid, `o-gone.${run}`, '--grant', 'client_credentials', '--scope', 'API');
  const token = await machineToken(gone);
  assert.notEqual((await api(token)).status, 401);
  grid.ctl('client', 'disable', gone.id);
  invalidToken(await api(token));
  refused(await gone.token(cc), 'invalid_client', 401);
  grid.sql("DELETE FROM login_failure WHERE subject LIKE 'client%'");
  grid.ctl('client', 'enable', gone.id);
  invalidToken(await api(token));
  assert.equal((await gone.token(cc)).status, 200);
  grid.ctl('client', 'remove', gone.id);
  refused(await gone.token(cc), 'invalid_client', 401);
});

// --- algorithms -------------------------------------------------------------------------------

test('a client with ES256 gets both tokens by the second published key', async () => {
  const elliptic = new Client(grid, `o-es.${run}`, '--trusted', '--algorithm', 'ES256',
    ...words('--grant', 'authorization_code'), ...words('--scope', ...all), '--redirect-uri', 'https://es.test/cb');
  const keys = (await grid.request('/.well-known/openid-configuration/jwks')).json;
  const set = jose.createLocalJWKSet(keys);
  const tokens = await elliptic.tokens(cookie);
  for (const token of [tokens.access_token, tokens.id_token]) {
    const { protectedHeader } = await jose.jwtVerify(token, set, { issuer: grid.url, algorithms: ['ES256'] });
    assert.equal(protectedHeader.alg, 'ES256');
    assert.equal(Buffer.from(token.split('.')[2], 'base64url').length, 64);
  }
  assert.equal((await userinfo(tokens.access_token)).status, 200);
  const config = await oidc.discovery(new URL(grid.url), elliptic.id,
    { client_secret: elliptic.secret, id_token_signed_response_alg: 'ES256' }, undefined,
    { [oidc.customFetch]: gridFetch(grid) });
  const { verifier, challenge } = pkce();
  const reply = await elliptic.authorize(cookie, { code_challenge: challenge });
  assert.ok((await oidc.authorizationCodeGrant(config, new URL(reply.headers.location),
    { pkceCodeVerifier: verifier, expectedState: 's1' })).claims().sub);
  for (const key of keys.keys) {
    assert.deepEqual(Object.keys(key).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi'].includes(name)), []);
    assert.equal(key.use, 'sig');
    const { kid, use, alg, ...plain } = key;
    assert.equal(kid, await jose.calculateJwkThumbprint(plain));
  }
  assert.deepEqual([...new Set(keys.keys.map((key) => key.alg))].sort(), ['ES256', 'RS256']);
});

test('a node gets the short signature, and its token is good', async () => {
  const id = randomUUID();
  const node = grid.enrol(`short-${id.slice(0, 8)}`, `${id}:Short`);
  const token = await node.token();
  assert.equal(jose.decodeProtectedHeader(token).alg, 'ES256');
  assert.ok(token.length < 640, `${token.length} bytes`);
  assert.equal((await node.request('/hub/v1/position', { token })).status, 200);
  node.close();
});

test('many ES256 tokens: leading zeros of r and s stay', async () => {
  const elliptic = new Client(grid, `o-es2.${run}`, '--algorithm', 'ES256', '--grant', 'client_credentials', '--scope', 'API');
  const set = jose.createLocalJWKSet((await grid.request('/.well-known/openid-configuration/jwks')).json);
  for (let i = 0; i < 3; i++) { // few enough for the limit of the address
    const replies = await Promise.all(Array.from({ length: 20 }, () => elliptic.token(cc)));
    for (const reply of replies) {
      assert.equal(reply.status, 200, reply.text);
      await jose.jwtVerify(reply.json.access_token, set);
    }
  }
});

// --- certificates --------------------------------------------------------------------------------

test('tls_client_auth: each kind of name, exactly', async () => {
  const subject = `/O=Plant/CN=o-robot-${run}`;
  const names = 'DNS:robot.plant.test,URI:urn:robot:7,IP:192.0.2.7,email:robot@plant.test';
  const { cert, key } = makeCertificate(grid, subject, names);
  const kinds = {
    subject_dn: [`CN=o-robot-${run},O=Plant`, `O=Plant,CN=o-robot-${run}`],
    san_dns: ['ROBOT.plant.test', 'robot.plant'],
    san_uri: ['urn:robot:7', 'urn:robot:70'],
    san_ip: ['192.0.2.7', '192.0.2.70'],
    san_email: ['robot@plant.test', 'Robot@plant.test'],
  };
  for (const [kind, [right, wrong]] of Object.entries(kinds)) {
    const register = (name, at) => new Client(grid, `o-tls-${kind}-${at}.${run}`, '--certificate', `${kind}:${name}`,
      '--grant', 'client_credentials', '--scope', 'API');
    const good = register(right, 'good');
    assert.equal(good.secret, undefined);
    const reply = await good.token(cc, { url: grid.nodeUrl, cert, key });
    assert.equal(reply.status, 200, `${kind}: ${reply.text}`);
    refused(await register(wrong, 'wrong').token(cc, { url: grid.nodeUrl, cert, key }), 'invalid_client', 401);
  }
  assert.throws(() => new Client(grid, `o-tls-two.${run}`, '--certificate', 'san_dns'), /certificate/);
  assert.throws(() => new Client(grid, `o-tls-odd.${run}`, '--certificate', 'serial:1'), /certificate/);
});

test('tls_client_auth: no certificate, a foreign one, and no client_id', async () => {
  const { cert, key } = makeCertificate(grid, `/CN=o-arm-${run}`, `DNS:arm-${run}.test`);
  const arm = new Client(grid, `o-arm.${run}`, '--certificate', `san_dns:arm-${run}.test`,
    '--grant', 'client_credentials', '--scope', 'API');
  const at = { url: grid.nodeUrl, cert, key };
  assert.equal((await arm.token(cc, at)).status, 200);
  refused(await arm.token(cc), 'invalid_client', 401); // the public listener asks for none
  refused(await arm.token(cc, { headers: { 'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': cert.replaceAll('\n', '%0A') } }),
    'invalid_client', 401);
  refused(await arm.token({ ...cc, client_secret: 'x' }, at), 'invalid_client', 401);
  refused(await grid.request(`${grid.nodeUrl}/connect/token`, { form: cc, cert, key }), 'invalid_client', 401);
  refused(await machine.token({ ...cc, client_secret: undefined }, at), 'invalid_client', 401);
  const authority = makeCertificate(grid, '/CN=evil authority');
  const evil = makeCertificate(grid, `/CN=o-arm-${run}`, `DNS:arm-${run}.test`, { authority });
  const foreign = await arm.token(cc, { url: grid.nodeUrl, cert: evil.cert, key: evil.key });
  assert.ok([400, 401, 403].includes(foreign.status), foreign.text);
  assert.equal(foreign.text.includes('access_token'), false);
  grid.sql("DELETE FROM login_failure WHERE subject LIKE 'client%'");
});

test('a token of a certificate works only over that certificate', async () => {
  const { cert, key } = makeCertificate(grid, `/CN=o-bound-${run}`, `DNS:bound-${run}.test`);
  const other = makeCertificate(grid, `/CN=o-other-${run}`, `DNS:other-${run}.test`);
  const bound = new Client(grid, `o-bound.${run}`, '--certificate', `san_dns:bound-${run}.test`,
    '--grant', 'client_credentials', '--scope', 'API');
  grid.ctl('policy', 'grant', 'client', bound.id, 'ReadAll');
  const { access_token: token } = (await bound.token(cc, { url: grid.nodeUrl, cert, key })).json;
  const { createHash, X509Certificate } = await import('node:crypto');
  const thumbprint = createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');
  assert.equal(jose.decodeJwt(token).cnf['x5t#S256'], thumbprint);
  const facts = (await bound.post('introspect', { token }, { url: grid.nodeUrl, cert, key })).json;
  assert.equal(facts.cnf['x5t#S256'], thumbprint);
  const at = (extra) => grid.request(`${grid.nodeUrl}/api/v1/datasources`, { token, ...extra });
  assert.equal((await at({ cert, key })).status, 200);
  invalidToken(await at({ cert: other.cert, key: other.key }));
  invalidToken(await api(token));
  assert.equal((await at({ cert, key })).status, 200);
});

test('the certificate of a blocked node proves nothing any more', async () => {
  const node = grid.enrol(`o-lent-${run}`, `${randomUUID()}:o-lent-${run}`);
  const { X509Certificate } = await import('node:crypto');
  const uri = /URI:([^,]+)/.exec(new X509Certificate(node.cert).subjectAltName)[1];
  const lent = new Client(grid, `o-lent.${run}`, '--certificate', `san_uri:${uri}`, '--grant', 'client_credentials',
    '--scope', 'API');
  grid.ctl('policy', 'grant', 'client', lent.id, 'ReadAll');
  const at = { url: grid.nodeUrl, cert: node.cert, key: node.key };
  const { access_token: token } = (await lent.token(cc, at)).json;
  const read = () => grid.request(`${grid.nodeUrl}/api/v1/datasources`, { token, cert: node.cert, key: node.key });
  assert.equal((await read()).status, 200);
  grid.ctl('node', 'block', node.name);
  invalidToken(await read());
  refused(await lent.token(cc, at), 'invalid_client', 401);
  grid.ctl('node', 'unblock', node.name);
  assert.equal((await lent.token(cc, at)).status, 200);
  assert.equal((await read()).status, 200);
  node.close();
});

test('the state of a node is asked with its token, too', async () => {
  const node = grid.enrol(`o-state-${run}`, `${randomUUID()}:o-state-${run}`);
  const token = await node.token();
  assert.equal((await node.request('/hub/v1/position', { token })).status, 200);
  grid.ctl('node', 'block', node.name);
  const reply = await node.request('/connect/token', {
    form: { grant_type: 'client_credentials' }, headers: basic(node.clientId, node.clientSecret),
  });
  refused(reply, 'invalid_client', 401);
  node.close();
});
