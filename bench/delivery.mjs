// Delivery of a stored backlog, beside wrk with the same bodies to the same receiver.
import {eventually} from '../tests/e2e/harness.mjs';
import {makeFacts} from './facts.mjs';
import {wrk} from './parts.mjs';
import {factsFile, withServer, withSink} from './servers.mjs';
import {ratio} from './table.mjs';

/** Stores `facts` for `services` while nothing is delivered. */
async function storeBacklog(server, sink, services, facts) {
  const ids = services.map(({id}) => id);
  for (const {id, namespaces} of services) {
    await server.putService(id, `${sink.url}/r/${id}`, {namespaces});
    await server.request('admin', 'POST', `/v1/services/${id}/pause`);
  }
  for (let at = 0; at < facts.length; at += 1000) {
    const {status} = await server.appendRaw(facts.slice(at, at + 1000).join('\n'),
      {'content-type': 'application/x-ndjson'});
    if (status !== 200) throw new Error(`an append was answered ${status}`);
  }
  await eventually('everything to be sorted', async () => (await server.sortLag()) === 0);
  return ids;
}

/** Facts a second from the moment that the services are resumed. */
function delivered(sink, services, facts, expected) {
  return withServer(async server => {
    const ids = await storeBacklog(server, sink, services, facts);
    await sink.reset();
    const begun = process.hrtime.bigint();
    await Promise.all(ids.map(id => server.request('admin', 'POST', `/v1/services/${id}/resume`)));
    await eventually('everything to be delivered', async () =>
      (await sink.stats()).facts >= expected, 300);
    const took = Number(process.hrtime.bigint() - begun) / 1e9;
    const arrived = (await sink.stats()).facts;
    if (arrived !== expected) throw new Error(`${arrived} of ${expected} facts were delivered`);
    return expected / took;
  });
}

async function putLoad(sink, connections, bodies, seconds) {
  const load = await wrk(sink.url, {connections, seconds, bodies, lines: 1, method: 'PUT',
    targets: Array.from({length: connections}, (_, i) => `/r/${i}/_matrix/app/v1/transactions/1`),
    type: 'application/json', token: 'hs_token'});
  return 100 * load.requests / load.seconds;
}

const everyUser = {users: [{exclusive: false, regex: '@.*'}]};
const roomOf = number => `!room${number}:example.test`;
const hundred = namespaces => Array.from({length: 100}, (_, i) =>
  ({id: `s${i}`, namespaces: namespaces(i)}));

export async function delivery({rounds, folder, seconds, scaled}) {
  const facts = makeFacts(200_000, (fact, number) => (fact.room_id = roomOf(number % 100)));
  const transactions = [];
  for (let at = 0; at < 25_600; at += 100) {
    transactions.push(`{"events":[${facts.slice(at, at + 100).join(',')}]}`);
  }
  const bodies = factsFile(folder, 'transactions.ndjson', transactions);
  const backlog = facts.slice(0, scaled(200_000));
  const cases = [
    ['1 receiver', 1, [{id: 's0', namespaces: everyUser}], backlog, 1],
    ['100 receivers, each its own facts', 100,
      hundred(i => ({rooms: [{exclusive: false, regex: `${roomOf(i)}$`}]})), backlog, 1],
    ['100 receivers, each every fact', 100, hundred(() => everyUser),
      facts.slice(0, scaled(10_000)), 100],
  ];
  const results = cases.map(() => ({ours: [], theirs: []}));
  await withSink(async sink => {
    for (let round = 0; round < rounds; round += 1) {
      for (const [at, [, connections, services, some, copies]] of cases.entries()) {
        results[at].theirs.push(await putLoad(sink, connections, bodies, seconds));
        results[at].ours.push(await delivered(sink, services, some, some.length * copies));
      }
    }
  });
  return {
    title: 'Facts/s delivered from a stored backlog, 100 a transaction, one in flight a ' +
      'receiver; wrk PUTs such bodies to the same receiver, as many connections',
    head: ['receivers', 'Postrider', 'wrk', 'ratio'],
    rows: results.map(({ours, theirs}, at) => [cases[at][0], ours, theirs, ratio(ours, theirs)]),
  };
}
