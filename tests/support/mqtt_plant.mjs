// mqtt_plant: agents with the driver mqtt, their broker and the grid, for tests.
//
//   const plant = await openPlant();   // null when there is no mosquitto
//   const agent = await plant.start('name', 'name,type\nx,int\n');
//   await plant.settles(agent, { x: 7 });
//   after(() => plant?.close());

import { Agent } from './agent.mjs';
import { openBroker } from './broker.mjs';
import { openGrid, until } from './grid.mjs';

export const has = (one, name) => one.statusText.split(' ').includes(name);

export async function openPlant() {
  const broker = await openBroker();
  if (!broker) return null;
  const grid = await openGrid();
  return new Plant(broker, grid, await grid.token());
}

class Plant {
  #agents = [];

  constructor(broker, grid, token) { Object.assign(this, { broker, grid, token }); }

  /** An agent that is not started; "options" are lines of its section. */
  agent(name, variables, { options = '', settings, ...setup } = {}) {
    const agent = new Agent(this.grid, name, {
      driver: 'mqtt', variables, ...setup,
      options: `${settings ?? this.broker.settings(`agent-${name}`)}${options}`,
    });
    this.#agents.push(agent);
    return agent;
  }

  async start(...words) {
    const agent = this.agent(...words).start();
    await this.subscribed(agent);
    return agent;
  }

  /** Connected to the broker that many times, and subscribed. */
  async subscribed(agent, times = 1, broker = this.broker) {
    const [, clientId] = /^client_id = (\S+)$/m.exec(agent.setup.options);
    await until(() => agent.log.split('connected to the broker').length > times && broker.isSubscribed(clientId),
      { every: 20, what: 'the connection to the broker' }).catch((error) => {
      throw new Error(`${error.message}: ${agent.log.slice(-1000)}`);
    });
  }

  /** Current values by name: { value, statusText, lastUpdateTime }. */
  async current(agent) {
    const reply = await this.grid.request(`/api/v1/datasources/${agent.id}/variables/query`, {
      token: this.token,
      body: {
        nameFilter: { variableNames: ['*'] },
        fields: ['name', 'value', 'lastUpdateTime', 'statusText'],
      },
    });
    if (reply.status !== 200) return { error: reply.text };
    const list = JSON.parse(reply.text);
    return Object.fromEntries((list.variables ?? list).map((one) => [one.name, one]));
  }

  /** Until each name has that value, or what its function wants. */
  async settles(agent, wanted) {
    let last;
    await until(async () => {
      last = await this.current(agent);
      return Object.entries(wanted).every(([name, check]) => last[name] !== undefined
        && (typeof check === 'function' ? check(last[name]) : last[name].value === check));
    }, { every: 150, what: 'the values' }).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last)}\n${agent.log.slice(-1500)}`);
    });
    return last;
  }

  async close() {
    for (const agent of this.#agents) await agent.close();
    await this.broker.close();
    await this.grid.close();
  }
}
