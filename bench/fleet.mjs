// Several processes on one PostgreSQL database, which syncs.
import {RedisServer, Server, eventually, freePort, newApplication, producerToken, temporaryFolder,
  withClient} from '../tests/e2e/harness.mjs';
import {makeFacts} from './facts.mjs';
import {copied, pgbenchInserts, wrk} from './parts.mjs';
import {factsFile, withPostgres} from './servers.mjs';
import {ratio} from './table.mjs';

const connections = 32;
const millisecondsSince = begun => Number(process.hrtime.bigint() - begun) / 1e6;

let schemas = 0;

/** Processes on a schema of their own, and what connects them: redis, tcp or polling. */
async function withFleet(postgres, count, transport, work, extra = '') {
  schemas += 1;
  const redis = transport === 'redis' && await new RedisServer().start();
  const port = await freePort();
  const servers = [];
  try {
    for (let number = 1; number <= count; number += 1) {
      const bus = {redis: `redis: "${redis.url}"`, polling: '',
        tcp: `${number === 1 ? 'listen' : 'connect'}: "127.0.0.1:${port}"`}[transport];
      servers.push(await Server.start(`read: {wait_max: 1m}\n${extra}`, temporaryFolder(),
        `database: ${postgres.url}\nstorage: {schema: bench_${schemas}}
instance_name: w${number}\nreplication: {${bus}}\n`));
    }
    return await work(servers);
  } finally {
    for (const server of servers) await server.end();
    if (redis) await redis.kill();
  }
}

/** Facts a second through all processes together. */
async function appended(servers, bodies, lines, seconds) {
  const loads = await Promise.all(servers.map(server => wrk(`http://${server.ready.public}`,
    {connections: connections / servers.length, seconds, bodies, lines, method: 'POST',
      targets: ['/v1/streams/events/facts'], type: 'application/x-ndjson', token: producerToken})));
  return loads.reduce((sum, load) => sum + load.requests * lines / load.seconds, 0);
}

export async function writers({rounds, folder, seconds}) {
  const facts = makeFacts(25_600);
  const bodies = factsFile(folder, 'writers.ndjson', facts);
  const cases = [1, 2, 4].flatMap(count => [1, 10, 100].map(lines =>
    ({count, lines, ours: [], inserts: [], copies: []})));
  await withPostgres(async postgres => {
    await withClient(postgres.url, client => client.query('CREATE TABLE alone (fact TEXT)'));
    for (let round = 0; round < rounds; round += 1) {
      for (const {count, lines, ours, inserts, copies} of cases) {
        inserts.push(await pgbenchInserts(postgres.url, folder, facts, {connections, seconds}));
        copies.push(await copied(postgres.url, folder, facts));
        ours.push(await withFleet(postgres, count, 'redis', servers =>
          appended(servers, bodies, lines, seconds)));
      }
    }
  });
  return {
    title: `Facts/s appended over HTTP to PostgreSQL, ${connections} connections; pgbench ` +
      'inserts the same facts, as many connections, a row a commit; one COPY of 25,600',
    head: ['processes', 'facts a request', 'Postrider', 'INSERT', 'ratio', 'COPY', 'ratio'],
    rows: cases.map(({count, lines, ours, inserts, copies}) => [`${count}`, `${lines}`, ours,
      inserts, ratio(ours, inserts), copies, ratio(ours, copies)]),
  };
}

const percentile = (sorted, share) => sorted[Math.floor(sorted.length * share)];

/** From an answered append at one process to the answer of a read at another, in milliseconds. */
async function measureVisibility(servers, count) {
  const [from, to] = servers;
  const visible = [], linear = [];
  for (const fact of makeFacts(count)) {
    const {json} = await from.appendRaw(fact);
    const begun = process.hrtime.bigint();
    await to.request('public', 'GET',
      `/v1/streams/events/facts?after=s${json.first - 1}&at_least=${json.token}`);
    visible.push(millisecondsSince(begun));
    await to.request('public', 'GET', `/v1/streams/events/position?at_least=s${json.last}`);
    linear.push(millisecondsSince(begun));
  }
  const sorted = {visible: visible.sort((a, b) => a - b), linear: linear.sort((a, b) => a - b)};
  return ['visible', 'linear'].flatMap(what =>
    [0.5, 0.99].map(share => percentile(sorted[what], share)));
}

export async function visibility({rounds, scaled}) {
  const cases = [['redis', 500], ['tcp', 500], ['polling', 100]].map(([transport, count]) =>
    ({transport, count: scaled(count), all: []}));
  await withPostgres(async postgres => {
    for (let round = 0; round < rounds; round += 1) {
      for (const {transport, count, all} of cases) {
        all.push(await withFleet(postgres, 3, transport, servers =>
          measureVisibility(servers, count)));
      }
    }
  });
  return {
    title: 'From an answered append in one process to a read in another, with the read itself, ' +
      'ms; 3 processes',
    head: ['bus', 'readable p50', 'p99', 'in order p50', 'p99'],
    rows: cases.map(({transport, all}) =>
      [transport, ...[0, 1, 2, 3].map(column => all.map(each => each[column]))]),
  };
}

/** Seconds from a kill until what others append is in order. */
export async function takeover({rounds}) {
  const took = [];
  await withPostgres(async postgres => {
    for (let round = 0; round < rounds; round += 1) {
      took.push(await withFleet(postgres, 3, 'redis', async servers => {
        for (const server of servers) await server.appendRaw(makeFacts(1)[0]);
        await servers[0].kill9();
        const begun = process.hrtime.bigint();
        const {json} = await servers[1].appendRaw(makeFacts(1)[0]);
        await servers[2].request('public', 'GET',
          `/v1/streams/events/position?at_least=s${json.last}`);
        return millisecondsSince(begun) / 1000;
      }));
    }
  });
  return {title: 'A writer is killed, with fleet.session_interval 5s', head: ['', 's'],
    rows: [['until facts of others are in order', took]]};
}

/** Facts a second from the start of a server beside a full outbox until it is empty. */
async function drained(postgres, facts) {
  const url = await newApplication(postgres);
  return withClient(url, async client => {
    await client.query(`SELECT postrider.append('events', fact::jsonb)
      FROM json_array_elements_text($1) AS fact`, [JSON.stringify(facts)]);
    return withFleet(postgres, 1, 'polling', async () => {
      const begun = process.hrtime.bigint();
      await eventually('an empty outbox', async () => {
        const {rows} = await client.query('SELECT NOT EXISTS (SELECT FROM postrider.outbox) AS e');
        return rows[0].e;
      });
      return facts.length / (millisecondsSince(begun) / 1000);
    }, `outbox: {url: "${url}"}\n`);
  });
}

/** From the application's commit until the fact can be read, in milliseconds. */
async function commitToRead(postgres, count) {
  const url = await newApplication(postgres);
  return withFleet(postgres, 1, 'polling', ([server]) => withClient(url, async client => {
    const took = [];
    for (const fact of makeFacts(count)) {
      await client.query("SELECT postrider.append('events', $1)", [fact]);
      const begun = process.hrtime.bigint();
      await server.request('public', 'GET',
        `/v1/streams/events/position?at_least=s${took.length + 1}`);
      took.push(millisecondsSince(begun));
      // Not in step with the polls.
      await new Promise(resolve => setTimeout(resolve, Math.random() * 50));
    }
    took.sort((a, b) => a - b);
    return [percentile(took, 0.5), percentile(took, 0.99)];
  }), `outbox: {url: "${url}"}\n`);
}

export async function outbox({rounds, scaled}) {
  const facts = makeFacts(scaled(50_000));
  const rates = [], latencies = [];
  await withPostgres(async postgres => {
    for (let round = 0; round < rounds; round += 1) {
      rates.push(await drained(postgres, facts));
      latencies.push(await commitToRead(postgres, scaled(200)));
    }
  });
  return {title: 'The outbox of an application, asked every 50 ms at rest', head: ['', ''], rows: [
    [`facts/s from a backlog of ${facts.length}`, rates],
    ['commit to readable, p50 ms', latencies.map(each => each[0])],
    ['commit to readable, p99 ms', latencies.map(each => each[1])],
  ]};
}
