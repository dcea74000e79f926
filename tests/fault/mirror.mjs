// mirror: a control room on another site, which has every source in files; its
// line fails and it is killed like everything else.

import fs from 'node:fs';
import path from 'node:path';

import { Egress, egressNode } from '../support/egress.mjs';
import { Line } from './line.mjs';
import { annoy } from './trouble.mjs';

export class Mirror {
  #read = { size: -1 };

  /** "agents" publish what it mirrors; "line": it is at the end of one. */
  static async open(grid, agents, { seed, line }) {
    const mirror = new Mirror();
    if (line) mirror.line = await Line.open(seed);
    mirror.egress = new Egress(grid, {
      node: egressNode(grid, agents.map(({ id }) => id)),
      mirror: `datasource,variables\n${agents.map(({ id }) => `${id},*\n`).join('')}`,
      options: 'folder = data\nrotate_mib = 1',
      inside: mirror.line?.inside,
    });
    return mirror;
  }

  /** A mirror begins with what comes after its start. */
  async begin() {
    this.egress.supervise();
    await this.egress.begun();
  }

  async suffer(context) {
    this.troubles = await annoy(this.line, () => this.egress.running && this.egress.strike(), context);
    this.line?.heal();
  }

  get #size() {
    const folder = path.join(this.egress.folder, 'data');
    return fs.readdirSync(folder).reduce((sum, file) => sum + fs.statSync(path.join(folder, file)).size, 0);
  }

  /** Every file, by plant: a Map of variables to [time, value, status] rows, and alarms and events. */
  #plants() {
    const size = this.#size;
    if (size === this.#read.size) return this.#read.plants;
    const plants = new Map();
    const plant = ({ datasource }) => {
      if (!plants.has(datasource)) plants.set(datasource, { values: new Map(), alarms: [], events: [] });
      return plants.get(datasource);
    };
    for (const line of this.egress.lines('values')) {
      const one = JSON.parse(line);
      const { values } = plant(one);
      if (!values.has(one.variable)) values.set(one.variable, []);
      values.get(one.variable).push([one.time, String(one.value), one.status]);
    }
    for (const list of ['alarms', 'events'])
      for (const { datasource, ...one } of this.egress.records(list)) plant({ datasource })[list].push(one);
    this.#read = { size, plants };
    return plants;
  }

  /** What it has of an agent: { values, alarms, events }, in the order of the files. */
  of(agent) {
    return this.#plants().get(agent.id) ?? { values: new Map(), alarms: [], events: [] };
  }

  async close() {
    await this.egress.close();
    this.egress.node.close();
    this.line?.close();
  }
}
