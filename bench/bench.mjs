// Every benchmark starts its own server on its own folder; a comparison runs in turns with it.
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {Server, eventually, producerToken, temporaryFolder} from '../tests/e2e/harness.mjs';
import {makeFacts} from './facts.mjs';
import {outbox, takeover, visibility, writers} from './fleet.mjs';
import {Sink, patternMatching, sqliteAlone, wrk} from './parts.mjs';
import {printTable, ratio, rounded, spread} from './table.mjs';
import {writes} from './writes.mjs';

const seconds = 3;
const folder = temporaryFolder();

async function withServer(work) {
  const server = await Server.start();
  try {
    return await work(server);
  } finally {
    await server.end();
  }
}

async function withSink(work) {
  const sink = await Sink.start();
  try {
    return await work(sink);
  } finally {
    sink.stop();
  }
}

function factsFile(name, facts) {
  const file = path.join(folder, name);
  writeFileSync(file, facts.map(fact => `${fact}\n`).join(''));
  return file;
}

/** Facts a second over HTTP. */
async function appended(bodies, lines) {
  const {requests, seconds: took} = await withServer(server =>
    wrk(`http://${server.ready.public}`, {connections: 64, seconds, bodies, lines, method: 'POST',
      targets: ['/v1/streams/events/facts'], type: 'application/x-ndjson', token: producerToken}));
  return requests * lines / took;
}

async function append(rounds) {
  const facts = makeFacts(25_600);
  const bodies = factsFile('append.ndjson', facts);
  const rows = [];
  for (const lines of [1, 10, 100]) {
    const ours = [], each = [], together = [];
    for (let round = 0; round < rounds; round += 1) {
      each.push(await sqliteAlone(bodies, folder, lines, seconds));
      ours.push(await appended(bodies, lines));
      together.push(await sqliteAlone(bodies, folder, 64 * lines, seconds));
    }
    rows.push([lines, spread(ours), spread(each), ratio(ours, each), spread(together),
      ratio(ours, together)]);
  }
  const size = Math.round(facts.join('').length / facts.length);
  printTable(`Facts/s appended over HTTP, 64 connections, facts of ${size} B; SQLite alone, ` +
    'a row a fact, the same bytes and sync mode',
  ['facts a request', 'Postrider', 'SQLite, commit a request', 'ratio',
    'SQLite, 64 requests a commit', 'ratio'], rows);
}

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

async function putLoad(sink, connections, bodies) {
  const load = await wrk(sink.url, {connections, seconds, bodies, lines: 1, method: 'PUT',
    targets: Array.from({length: connections}, (_, i) => `/r/${i}/_matrix/app/v1/transactions/1`),
    type: 'application/json', token: 'hs_token'});
  return 100 * load.requests / load.seconds;
}

const everyUser = {users: [{exclusive: false, regex: '@.*'}]};
const roomOf = number => `!room${number}:example.test`;
const hundred = namespaces => Array.from({length: 100}, (_, i) =>
  ({id: `s${i}`, namespaces: namespaces(i)}));

async function delivery(rounds) {
  const facts = makeFacts(200_000, (fact, number) => (fact.room_id = roomOf(number % 100)));
  const transactions = [];
  for (let at = 0; at < 25_600; at += 100) {
    transactions.push(`{"events":[${facts.slice(at, at + 100).join(',')}]}`);
  }
  const bodies = factsFile('transactions.ndjson', transactions);
  const cases = [
    ['1 receiver', 1, [{id: 's0', namespaces: everyUser}], facts, 1],
    ['100 receivers, each its own facts', 100,
      hundred(i => ({rooms: [{exclusive: false, regex: `${roomOf(i)}$`}]})), facts, 1],
    ['100 receivers, each every fact', 100, hundred(() => everyUser), facts.slice(0, 10_000), 100],
  ];
  const rows = [];
  await withSink(async sink => {
    for (const [title, connections, services, some, copies] of cases) {
      const ours = [], theirs = [];
      for (let round = 0; round < rounds; round += 1) {
        theirs.push(await putLoad(sink, connections, bodies));
        ours.push(await delivered(sink, services, some, some.length * copies));
      }
      rows.push([title, spread(ours), spread(theirs), ratio(ours, theirs)]);
    }
  });
  printTable('Facts/s delivered from a stored backlog, 100 a transaction, one in flight a ' +
    'receiver; wrk PUTs such bodies to the same receiver, as many connections',
  ['', 'Postrider', 'wrk', 'ratio'], rows);
}

const sleepUntil = when => new Promise(resolve =>
  setTimeout(resolve, Math.max(0, Number(when - process.hrtime.bigint()) / 1e6)));

/** One fact a request, 300 requests a second whatever the answers take. */
async function appendSteadily(server, facts) {
  const interval = 1_000_000_000n / 300n;
  const begun = process.hrtime.bigint();
  const answers = [];
  for (const [number, fact] of facts.entries()) {
    await sleepUntil(begun + BigInt(number) * interval);
    const stamped = `{"sent_ns":${process.hrtime.bigint()},${fact.slice(1)}`;
    answers.push(server.appendRaw(stamped));
  }
  await Promise.all(answers);
}

/** Percentiles of the time from the request's making to the receiver, in microseconds. */
function latencies(sink) {
  return withServer(async server => {
    await server.putService('s0', `${sink.url}/r/s0`);
    await appendSteadily(server, makeFacts(300));
    await server.caughtUp('s0');
    await sink.reset();
    const facts = makeFacts(3000);
    await appendSteadily(server, facts);
    await server.caughtUp('s0');
    const {latency_us: latency} = await sink.stats();
    if (latency.count !== facts.length) throw new Error('facts are missing');
    return latency;
  });
}

async function latency(rounds) {
  const all = [];
  await withSink(async sink => {
    for (let round = 0; round < rounds; round += 1) all.push(await latencies(sink));
  });
  printTable('Append to receiver, 300 facts/s, one a request', ['', 'ms'],
    ['p50', 'p99'].map(name => [name, spread(all.map(each => each[name] / 1000))]));
}

function residentMiB(server) {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) / 1024;
}

async function putServices(server, count) {
  const ids = Array.from({length: count}, (_, i) => `s${i}`);
  for (let at = 0; at < count; at += 64) {
    const answers = await Promise.all(ids.slice(at, at + 64).map(id => {
      const users = [{exclusive: false, regex: `@${id}_.*`}];
      return server.putService(id, `http://127.0.0.1:9/${id}`, {namespaces: {users}});
    }));
    if (answers.some(answer => answer.status !== 201)) throw new Error('a service was refused');
  }
}

/** After a restart, and after a fact that went through the patterns of all services. */
function residentWhenIdle(services) {
  return withServer(async server => {
    await putServices(server, services);
    await server.stop();
    await server.start();
    await server.append(makeFacts(1).map(fact => JSON.parse(fact)));
    await eventually('the fact to be sorted', async () => (await server.sortLag()) === 0);
    return residentMiB(server);
  });
}

async function memory() {
  const none = await residentWhenIdle(0);
  const many = await residentWhenIdle(10_000);
  printTable('Resident memory', ['idle services', 'MiB'], [['0', rounded(none)],
    ['10,000', rounded(many)], ['a service', `${rounded((many - none) * 1024 / 10_000)} KiB`]]);
}

async function patterns() {
  const rows = (await patternMatching()).map(({name, real_time: time, time_unit: unit}) =>
    [name, `${rounded(time)} ${unit}`]);
  printTable('Which services a user is of interest to, by services', ['', 'time'], rows);
}

const benchmarks = {append, delivery, latency, writes, memory, patterns, writers, visibility,
  takeover, outbox};
const {values, positionals} = parseArgs({allowPositionals: true,
  options: {rounds: {type: 'string', default: '3'}}});
const unknown = positionals.filter(name => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0 || !(Number(values.rounds) >= 1)) {
  console.error(`bench/run: --rounds N, then any of ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}
console.log(`${availableParallelism()} cores; median (lowest–highest) of ${values.rounds} rounds`);
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(benchmarks)) {
    await benchmarks[name](Number(values.rounds), folder);
  }
} finally {
  rmSync(folder, {recursive: true, force: true});
}
