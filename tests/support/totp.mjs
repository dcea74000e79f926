// totp: an authenticator app of our own (RFC 6238), not the server's library.

import crypto from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 30_000;

function base32(text) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...text.replaceAll(' ', '')].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

/** The code of now, or of so many steps later. */
export function totp(secret, steps = 0) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + steps));
  const mac = crypto.createHmac('sha1', base32(secret)).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}

/**
 * The code of the step before this one, which is good as long as this one is,
 * and leaves the others for later: when it is about to end, the next is waited for.
 */
export async function earlyTotp(secret) {
  const left = STEP_MS - Date.now() % STEP_MS;
  if (left < STEP_MS / 4) await sleep(left + 10);
  return totp(secret, -1);
}
