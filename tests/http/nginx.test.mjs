// What nginx itself answers for: headers, limits, JSON errors, mutual TLS.

import assert from 'node:assert/strict';
import tls from 'node:tls';
import { after, before, test } from 'node:test';
import { openGrid, until } from '../support/grid.mjs';

let grid;
before(async () => { grid = await openGrid({ own: true, loginRate: 5 }); });
after(() => grid?.close());

function port(url) { return Number(new URL(url).port); }

/** The protocol of a TLS connection, or the error. */
function handshake(url, options) {
  return new Promise((resolve) => {
    const socket = tls.connect({
      port: port(url), host: 'localhost', ca: grid.ca, ...options,
    }, () => {
      resolve({ protocol: socket.getProtocol(), alpn: socket.alpnProtocol });
      socket.destroy();
    });
    socket.on('error', (error) => resolve({ error: error.code }));
  });
}

test('security headers are on every answer, errors too', async () => {
  for (const target of ['/login', '/static/none', '/api/none', '/none']) {
    const { headers } = await grid.request(target);
    assert.match(headers['strict-transport-security'], /max-age=31536000/, target);
    assert.equal(headers['x-content-type-options'], 'nosniff', target);
    assert.equal(headers['referrer-policy'], 'no-referrer', target);
    assert.match(headers['content-security-policy'], /default-src 'none'/, target);
    assert.doesNotMatch(headers['content-security-policy'], /script-src[^;]*unsafe/, target);
    assert.match(headers['content-security-policy'], /frame-ancestors 'none'/, target);
  }
});

test('TLS 1.2 and 1.3 only, HTTP/2 on the public listeners', async () => {
  for (const url of [grid.url, grid.apiUrl, grid.identityUrl]) {
    assert.equal((await handshake(url, { ALPNProtocols: ['h2'] })).alpn, 'h2');
    assert.equal((await handshake(url, { maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2');
    assert.equal((await handshake(url, {})).protocol, 'TLSv1.3');
    const old = await handshake(url, {
      minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0',
    });
    assert.ok(old.error, 'TLS 1.1 is refused');
  }
});

test('a body that is too large is a compact JSON 413', async () => {
  const reply = await grid.request('/api/v1/datasources', {
    method: 'POST', body: Buffer.alloc(300 * 1024), headers: { 'content-type': 'application/json' },
  });
  assert.equal(reply.status, 413);
  assert.match(reply.headers['content-type'], /application\/json/);
  assert.equal(reply.json.errorCode, 'TooLarge');
});

test('many logins at once are refused with 429', async () => {
  const refused = await until(async () => {
    const replies = await Promise.all(Array.from({ length: 40 }, () => grid.request('/login', {
      form: { username: 'nobody', password: 'wrong-password' }, headers: { origin: grid.url },
    })));
    const some = replies.filter((reply) => reply.status === 429);
    return some.length > 0 && some;
  }, { what: 'a refusal' });
  assert.match(refused[0].text, /Too many attempts/);
});

test('the node listener wants a certificate', async () => {
  const reply = await grid.request(`${grid.nodeUrl}/hub/v1/position`, { agent: false });
  assert.equal(reply.status, 403);
  assert.equal(reply.json.errorCode, 'NoCertificate');
});

test('plain HTTP on a TLS port is told so', async () => {
  const socket = (await import('node:net')).connect(port(grid.url), 'localhost');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const text = await new Promise((resolve) => { socket.once('data', (data) => resolve(`${data}`)); });
  socket.destroy();
  assert.match(text, /^HTTP\/1.1 400/);
  assert.match(text, /HttpsRequired/);
});
