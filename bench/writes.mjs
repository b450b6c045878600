// What facts cost on the disk: everything that the process has written, for each byte of payload.
import {Server, eventually, producerToken} from '../tests/e2e/harness.mjs';
import {makeFacts} from './facts.mjs';
import {wrk} from './parts.mjs';
import {factsFile, withSink} from './servers.mjs';

const roomOf = number => `!room${number}:example.test`;

async function counters(server) {
  const {text} = await server.request('admin', 'GET', '/metrics');
  const value = name => Number(new RegExp(`^postrider_${name} (\\S+)`, 'm').exec(text)[1]);
  return {appended: value('facts_appended_bytes_total'), facts: value('facts_appended_total'),
    written: value('storage_written_bytes_total'), commits: value('commits_total'),
    pages: value('storage_pages_written_total'), entries: value('inbox_entries_total')};
}

async function allDelivered(server, services) {
  await eventually('everything to be sorted', async () => (await server.sortLag()) === 0);
  for (const {id, paused} of services) {
    if (!paused) await server.caughtUp(id, 300);
  }
}

/** What it cost to append facts, one a request, and to deliver them to `services`. */
async function costs(sink, services, load) {
  const server = await Server.start();
  try {
    for (const {id, namespaces, paused} of services) {
      await server.putService(id, `${sink.url}/r/${id}`, {namespaces});
      if (paused) await server.request('admin', 'POST', `/v1/services/${id}/pause`);
    }
    const before = await counters(server);
    const took = await load(server);
    await allDelivered(server, services);
    const after = await counters(server);
    const grown = name => after[name] - before[name];
    return {rate: grown('facts') / took, perByte: grown('written') / grown('appended'),
      perEntry: grown('written') / grown('entries'), factsPerCommit: grown('facts') /
      grown('commits'), pagesPerCommit: grown('pages') / grown('commits')};
  } finally {
    await server.end();
  }
}

const everyUser = {users: [{exclusive: false, regex: '@.*'}]};
const services = (count, namespaces, paused = false) => Array.from({length: count}, (_, i) =>
  ({id: `s${i}`, namespaces: namespaces(i), paused}));

export async function writes({rounds, folder, seconds}) {
  const facts = makeFacts(25_600, (fact, number) => (fact.room_id = roomOf(number % 100)));
  const bodies = factsFile(folder, 'writes.ndjson', facts);
  const many = async server => (await wrk(`http://${server.ready.public}`, {connections: 64,
    seconds, bodies, lines: 1, method: 'POST', targets: ['/v1/streams/events/facts'],
    type: 'application/x-ndjson', token: producerToken})).seconds;
  const few = async server => {
    const begun = process.hrtime.bigint();
    for (const fact of facts.slice(0, 20)) await server.appendRaw(fact);
    return Number(process.hrtime.bigint() - begun) / 1e9;
  };
  const ownRoom = i => ({rooms: [{exclusive: false, regex: `${roomOf(i)}$`}]});
  const cases = [
    ['1 receiver, paused', services(1, () => everyUser, true), many],
    ['1 receiver', services(1, () => everyUser), many],
    ['100 receivers, each its own facts', services(100, ownRoom), many],
    ['1,000 receivers, each every fact', services(1000, () => everyUser), few],
  ];
  const results = cases.map(() => []);
  await withSink(async sink => {
    for (let round = 0; round < rounds; round += 1) {
      for (const [at, [, receivers, load]] of cases.entries()) {
        results[at].push(await costs(sink, receivers, load));
      }
    }
  });
  const figures = ['rate', 'perByte', 'perEntry', 'factsPerCommit', 'pagesPerCommit'];
  return {
    title: 'Written to the disk, one fact a request; delivered as it comes',
    head: ['receivers', 'facts/s', 'bytes a byte appended', 'bytes a fact and receiver',
      'facts a commit', 'pages a commit'],
    rows: results.map((all, at) =>
      [cases[at][0], ...figures.map(name => all.map(each => each[name]))]),
  };
}
