// admin: an administrator's calls to the REST API, each answer compared with
// the OpenAPI document; and tokens that a user gave a client.
//
//   const admin = await openAdmin(grid);
//   await admin.post('/users', { name: 'anna' });       // 2xx, else it throws
//   await admin.call('DELETE', '/users/nobody');        // any status

import crypto from 'node:crypto';
import { checker } from './openapi.mjs';

const BASE = '/api/v1/admin';

class Admin {
  #grid;
  #check = checker();

  constructor(grid, cookie) {
    this.#grid = grid;
    this.cookie = cookie;
  }

  async call(method, place, body, headers = {}) {
    const target = place.startsWith('/api/') ? place : BASE + place;
    const reply = await this.#grid.request(target, {
      method, body, cookie: this.cookie, headers: { origin: this.#grid.url, ...headers },
    });
    this.#check(method, target, reply);
    return reply;
  }

  async #good(method, place, body) {
    const reply = await this.call(method, place, body);
    if (reply.status >= 300) throw new Error(`${method} ${place}: ${reply.status} ${reply.text}`);
    return reply.status === 204 ? null : reply.json;
  }

  get(place) { return this.#good('GET', place); }
  post(place, body) { return this.#good('POST', place, body); }
  put(place, body) { return this.#good('PUT', place, body); }
  patch(place, body) { return this.#good('PATCH', place, body); }
  delete(place) { return this.#good('DELETE', place); }

  /** Every item of a list, page by page. */
  async all(place, limit = 500) {
    const found = [];
    for (let after = ''; after !== null;) {
      const page = await this.get(`${place}${place.includes('?') ? '&' : '?'}limit=${limit}${after && `&after=${after}`}`);
      found.push(...page.items);
      after = page.next;
    }
    return found;
  }
}

/** Calls as the grid's administrator, or as "user". */
export async function openAdmin(grid, user = grid.user) {
  return new Admin(grid, await grid.logIn(user));
}

/** A trusted public client for the code flow; its client_id. */
export function addApp(grid, name) {
  grid.ctl('client', 'add', name, '--public', '--trusted',
    ...['authorization_code', 'refresh_token'].flatMap((grant) => ['--grant', grant]),
    ...['openid', 'offline_access', 'API'].flatMap((scope) => ['--scope', scope]),
    '--redirect-uri', 'http://127.0.0.1/back');
  return name;
}

/** The tokens that the user of this session gives the client. */
export async function giveTokens(grid, cookie, client) {
  const verifier = crypto.randomBytes(32).toString('base64url');
  const asked = await grid.request(`/connect/authorize?${new URLSearchParams({
    client_id: client, redirect_uri: 'http://127.0.0.1/back', response_type: 'code',
    scope: 'openid offline_access API', state: 's', code_challenge_method: 'S256',
    code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'),
  })}`, { cookie });
  const code = new URL(asked.headers.location).searchParams.get('code');
  const reply = await grid.request('/connect/token', {
    form: {
      grant_type: 'authorization_code', client_id: client, code, code_verifier: verifier,
      redirect_uri: 'http://127.0.0.1/back',
    },
  });
  if (reply.status !== 200) throw new Error(`token: ${reply.status} ${reply.text}`);
  return reply.json;
}

export function refresh(grid, client, token) {
  return grid.request('/connect/token', {
    form: { grant_type: 'refresh_token', client_id: client, refresh_token: token },
  });
}

/** What the events say of how the log-ins of a user ended, oldest first. */
export function ended(grid, user) {
  return grid.sql(`SELECT text FROM event WHERE kind = 'login.ended' AND username = '${user.name}' ORDER BY id`).map(([text]) => text);
}
