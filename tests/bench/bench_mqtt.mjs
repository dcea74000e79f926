// mqtt: messages of a broker into frames, against a bare libmosquitto
// subscriber that only counts the same messages.
//
// A rate on one core is messages / CPU seconds of the process, which other
// work on the machine does not change; for the agent this holds everything,
// also the spool and the sending to the hub.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { Agent } from '../support/agent.mjs';
import { openBroker } from '../support/broker.mjs';
import { build, sleep, until } from '../support/grid.mjs';

const run = promisify(execFile);
const tool = path.join(build, 'tests/bench/mqtt');
const topics = 1000;
const ticks = 100; // of /proc/PID/stat in a second

const countOf = (qos) => (qos === 0 ? 300_000 : 100_000);
const at = (broker, qos) => [broker.port, broker.user, broker.password, qos, countOf(qos)].map(String);

function cpuSeconds(pid) {
  const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

const publish = (broker, qos, form) => run(tool, ['publish', ...at(broker, qos), String(topics), form]);

async function countBare(broker, qos, form) {
  const child = spawn(tool, ['count', ...at(broker, qos)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [ready] = await once(lines, 'line');
  if (ready !== 'ready') throw new Error(ready);
  const result = once(lines, 'line');
  await publish(broker, qos, form);
  return JSON.parse((await result)[0]);
}

async function countAgent(grid, broker, qos, form) {
  const count = countOf(qos);
  let variables = 'name,address,type\n';
  for (let i = 0; i < topics; i += 1) variables += `v${i},bench/${i}${form === 'json' ? '#v@t' : ''},float\n`;
  const agent = new Agent(grid, `mqtt${qos}${form}`, {
    driver: 'mqtt', variables, agent: 'flush_ms = 100',
    options: `url = ${broker.url}\nuser = ${broker.user}\npassword = ${broker.file('password')}\n`
      + `client_id = bench-${qos}-${form}\nqos = ${qos}\nring_kib = 2048\n`,
  });
  try {
    agent.start();
    await until(() => agent.log.includes('connected to the broker'), { what: 'the agent' });
    await sleep(1000);
    const before = cpuSeconds(agent.pid);
    const start = Date.now();
    await publish(broker, qos, form);
    let samples = 0;
    await until(() => {
      [[samples]] = grid.sql(`SELECT coalesce(sum(samples), 0) FROM frame f
        JOIN datasource d ON d.id = f.datasource_id WHERE d.uuid = '${agent.id}'`);
      return Number(samples) >= count;
    }, { seconds: 60, every: 100, what: 'all samples' }).catch((error) => {
      throw new Error(`${error.message}: ${samples} of ${count}\n${agent.log.slice(-500)}`);
    });
    return { messages: count, seconds: (Date.now() - start) / 1000,
      cpu: cpuSeconds(agent.pid) - before, memory: agent.memory };
  } finally {
    await agent.close();
  }
}

export async function bench(grid, report) {
  const broker = await openBroker({
    more: 'max_inflight_messages 0\nmax_queued_bytes 0\nset_tcp_nodelay true\n',
  });
  if (!broker) {
    console.log('mqtt: skipped, there is no mosquitto');
    return;
  }
  try {
    for (const [qos, form] of [[0, 'plain'], [0, 'json'], [1, 'json']]) {
      const bare = await countBare(broker, qos, form);
      const agent = await countAgent(grid, broker, qos, form);
      const rate = agent.messages / agent.cpu;
      report({
        name: `MQTT ${form}, QoS ${qos}, into frames, on one core`, value: rate, unit: 'messages/s',
        wanted: '> 50,000', ratio: rate / (bare.messages / bare.cpu), of: 'counting only',
      });
      report({
        name: `MQTT ${form}, QoS ${qos}, until committed at the hub`,
        value: agent.messages / agent.seconds, unit: 'messages/s',
        ratio: bare.seconds / agent.seconds, of: 'counting only',
      });
      report({ name: 'memory of the agent', value: agent.memory, unit: 'MiB', wanted: '< 20' });
    }
  } finally {
    await broker.close();
  }
}
