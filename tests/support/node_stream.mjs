// The stream that the hub holds for a node, read as an agent would.
import https from 'node:https';

/**
 * Open the stream of a node of grid.enrol(); returns { status, headers,
 * next(event), all(event), ended (a promise), close() }. next() takes
 * the oldest event of that name not taken yet and gives its data, parsed.
 */
export async function openStream(grid, node, { token, localAddress } = {}) {
  const bearer = token ?? await node.token();
  const waiting = [];
  const events = [];
  let over = false;
  let rest = '';
  const response = await new Promise((resolve, reject) => {
    const request = https.get(`${grid.nodeUrl}/live/node`, {
      ca: grid.ca, cert: node.cert, key: node.key, agent: false, localAddress, family: localAddress && 4,
      headers: { authorization: `Bearer ${bearer}` },
    }, resolve);
    request.on('error', reject);
  });
  const look = () => {
    for (const wait of [...waiting]) {
      const at = events.findIndex((one) => one.event === wait.event && !one.taken);
      if (at < 0) continue;
      events[at].taken = true;
      waiting.splice(waiting.indexOf(wait), 1);
      clearTimeout(wait.timer);
      wait.resolve(events[at].data);
    }
  };
  response.setEncoding('utf8');
  response.on('data', (part) => {
    rest += part;
    for (let at = rest.indexOf('\n\n'); at >= 0; at = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, at).split('\n');
      rest = rest.slice(at + 2);
      const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      events.push({ event: field('event'), data: JSON.parse(field('data')), time: Date.now() });
    }
    look();
  });
  const ended = new Promise((resolve) => {
    const end = () => { over = true; resolve(); };
    response.on('end', end);
    response.on('error', end);
    response.on('close', end);
  });
  return {
    status: response.statusCode,
    headers: response.headers,
    ended,
    get over() { return over; },
    all: (event) => events.filter((one) => one.event === event).map((one) => one.data),
    next(event) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.splice(waiting.findIndex((one) => one.timer === timer), 1);
          reject(new Error(`no event ${event} within 60 s; there were ${events.map((one) => one.event)}`));
        }, 60_000);
        waiting.push({ event, resolve, timer });
        look();
      });
    },
    close() { response.destroy(); },
  };
}
