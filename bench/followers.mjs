// What readers that follow a stream cost those who append to it.
import {setTimeout as sleep} from 'node:timers/promises';
import {Worker} from 'node:worker_threads';
import {producerToken} from '../tests/e2e/harness.mjs';
import {makeFacts} from './facts.mjs';
import {withServer} from './servers.mjs';
import {median, ratio} from './table.mjs';

// Takes what comes and looks at nothing but its length.
const followersCode = `
const {connect} = require('node:net');
const {parentPort, workerData: {host, port, token, count}} = require('node:worker_threads');
const request = \`GET /v1/streams/events/follow HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer \${
  token}\\r\\n\\r\\n\`;
let bytes = 0, answered = 0;
for (let i = 0; i < count; ++i) {
  const socket = connect(port, host, () => socket.write(request));
  socket.once('data', () => ++answered === count && parentPort.postMessage('ready'));
  socket.on('data', data => (bytes += data.length));
}
parentPort.on('message', () => parentPort.postMessage(bytes));
`;

async function startFollowers(server, count) {
  if (count === 0) return null;
  const [host, port] = server.ready.public.split(':');
  const workerData = {host, port: Number(port), token: producerToken, count};
  const worker = new Worker(followersCode, {eval: true, workerData});
  await new Promise(resolve => worker.once('message', resolve));
  return worker;
}

/** Bytes that have come to all followers once no more come. */
async function receivedBytes(worker) {
  const ask = () => new Promise(resolve => {
    worker.once('message', resolve);
    worker.postMessage('count');
  });
  let before = -1, now = await ask();
  while (now !== before) {
    await sleep(500);
    [before, now] = [now, await ask()];
  }
  return now;
}

/** The median of one append after the other, in milliseconds. */
async function appendMilliseconds(count, facts) {
  return withServer(async server => {
    const worker = await startFollowers(server, count);
    const took = [];
    for (const fact of facts) {
      const begun = process.hrtime.bigint();
      await server.appendRaw(fact);
      took.push(Number(process.hrtime.bigint() - begun) / 1e6);
    }
    if (worker) {
      const payload = facts.reduce((sum, fact) => sum + fact.length, 0);
      const bytes = await receivedBytes(worker);
      if (bytes < count * payload) throw new Error(`the followers got ${bytes} bytes only`);
      await worker.terminate();
    }
    return median(took);
  });
}

export async function followers({rounds, scaled}) {
  const facts = makeFacts(scaled(200));
  const cases = [0, 100, 1000].map(count => ({count, all: []}));
  for (let round = 0; round < rounds; round += 1) {
    for (const {count, all} of cases) all.push(await appendMilliseconds(count, facts));
  }
  return {
    title: 'One append after the other beside followers of the stream, median in ms',
    note: 'The followers are a thread of the benchmark, which shares the cores.',
    head: ['followers', 'ms', 'ratio'],
    rows: cases.map(({count, all}) => [`${count}`, all, ratio(all, cases[0].all)]),
  };
}
