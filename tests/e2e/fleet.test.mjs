// Several processes on one PostgreSQL database: through pauses, kills, and the loss of what
// connects them.
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {after, before, test} from 'node:test';
import {FleetWorld, endFleet, pause} from './fleet.mjs';
import {RedisServer, Server, eventually, message, producerToken} from './harness.mjs';

let world;
before(async () => (world = await FleetWorld.start()));
after(() => world.end());

for (const transport of ['redis', 'tcp', 'polling']) {
  test(`${transport}: a paused and a killed process cost no fact, and nobody waits for them`,
    async () => {
      const servers = await world.startFleet(transport);
      const count = await world.workThrough(servers, `pause_${transport}`, async () => {
        await pause(500);
        servers[0].child.kill('SIGSTOP');
        await pause(4000);
        const before = await servers[2].position();
        await eventually('the others to go on', async () => {
          return (await servers[2].position()) > before;
        });
        servers[0].child.kill('SIGCONT');
        await eventually('the paused one to be told that it has ended',
          () => /session \d+ of this process was ended by others/.test(servers[0].log));
        await eventually('the paused one to begin anew',
          () => /session \d+ of instance w1 has begun[^]*session \d+ of instance w1 has begun/
            .test(servers[0].log));
        await servers[1].kill9();
        await pause(3000);
        await servers[1].start();
        await pause(500);
      });
      assert.ok(count > 100, `only ${count} facts`);
      await endFleet(servers);
    });

  test(`${transport}: a database that is killed costs no fact`, async () => {
    const servers = await world.startFleet(transport);
    await world.workThrough(servers, `database_${transport}`, async () => {
      await pause(500);
      world.postgres.run('kill');
      await pause(500);
      world.postgres.run('restart');
      await pause(1000);
    });
    await endFleet(servers);
  });

  test(`${transport}: what one process has answered is there for a reader at another one`,
    async () => {
      const servers = await world.startFleet(transport);
      await Promise.all(servers.map(async (writer, place) => {
        for (let number = 1; number <= 20; number += 1) {
          const {json} = await writer.append([message(number)]);
          const other = servers[(place + 1) % 3];
          const page = await other.request('public', 'GET',
            `/v1/streams/events/facts?after=s${json.first - 1}&at_least=${json.token}&limit=1000`);
          assert.ok(page.json.facts.some(each => each.id === json.first), page.text);
        }
      }));
      await endFleet(servers);
    });
}

for (const transport of ['redis', 'tcp']) {
  test(`${transport}: a bus that loses a fifth of the lines and mixes the others costs no fact`,
    async () => {
      const before = world.links.length;
      const servers = await world.startFleet(`lossy_${transport}`);
      const links = world.links.slice(before);
      await world.workThrough(servers, `lossy_${transport}`, () =>
        eventually('words to be lost', () => links.every(link => link.lost > 100)));
      for (const link of links) assert.ok(link.passed > link.lost);
      await endFleet(servers);
    });

  test(`${transport}: a fact that is too large for the bus is there for all`, async () => {
    const servers = await world.startFleet(transport);
    const noise = randomBytes(600_000).toString('base64');
    const {json} = await servers[0].append([{...message(1), noise}]);
    for (const server of servers) {
      const page = await server.request('public', 'GET',
        `/v1/streams/events/facts?at_least=${json.token}`);
      assert.equal(page.json.facts[0].fact.noise, noise);
    }
    await endFleet(servers);
  });

  test(`${transport}: any process takes the word that a service is there again`, async () => {
    const servers = await world.startFleet(transport, {backoff: '{min: 1h, max: 1h}'});
    const id = `back_${transport}`;
    await world.putService(servers, id);
    const isUp = world.receiver.answer;
    world.receiver.answer = (_, response) => response.writeHead(503).end();
    await servers[1].append([message(1)]);
    await eventually('the service to be down', async () =>
      (await servers[0].service(id)).state === 'down');
    world.receiver.answer = isUp;
    const asked = await servers[2].request('admin', 'POST', `/v1/services/${id}/retry`);
    assert.equal(asked.status, 202);
    assert.deepEqual(asked.json, {asked: 'w1'});
    await eventually('the fact', () => world.delivered(id).length > 0);
    await eventually('the service to be up', async () =>
      (await servers[0].service(id)).state === 'up');
    const odd = await servers[2].request('admin', 'POST', '/v1/services/a%0AREPLICATE/retry');
    assert.equal(odd.status, 503);
    await endFleet(servers);
  });
}

test('tcp: the listening process is killed and comes again', async () => {
  const servers = await world.startFleet('tcp');
  await world.workThrough(servers, 'listener', async () => {
    await pause(500);
    await servers[0].kill9();
    await pause(3000);
    await servers[0].start();
    await pause(1500);
  });
  for (const server of servers.slice(1)) {
    await eventually('the connection', () => /connected to 127[^]*connected to 127/
      .test(server.log));
  }
  await endFleet(servers);
});

test('redis: its password is used, and one that is wrong is told without being repeated',
  async () => {
    const guarded = await new RedisServer(['--requirepass', 'right']).start();
    const host = guarded.url.slice('redis://'.length);
    const start = (name, password) => Server.start('', undefined,
      `database: ${world.postgres.url}\nstorage: {schema: fleet_guarded}
instance_name: ${name}\nreplication: {redis: "redis://:${password}@${host}"}`);
    const right = await start('right', 'right');
    await eventually('the connection', () => /connected to Redis/.test(right.log));
    const wrong = await start('wrong', 'hush');
    await eventually('the refusal', () => /no connection to Redis at .*WRONGPASS/.test(wrong.log));
    assert.doesNotMatch(wrong.log, /hush/);
    const {json} = await wrong.append([message(1)]);
    const page = await right.request('public', 'GET',
      `/v1/streams/events/facts?at_least=${json.token}`);
    assert.equal(page.json.facts.length, 1);
    await pause(500);
    assert.equal(wrong.log.match(/WRONGPASS/g).length, 1, 'once');
    await endFleet([right, wrong]);
    await guarded.kill();
  });

test('redis: a restart of Redis costs no fact', async () => {
  const servers = await world.startFleet('redis');
  await world.workThrough(servers, 'redis_restart', async () => {
    await pause(500);
    await world.redis.kill();
    await pause(1500);
    await world.redis.start();
    await pause(2500);
  });
  for (const server of servers) {
    await eventually('the connection', () => /connected to Redis[^]*connected to Redis/
      .test(server.log));
  }
  await endFleet(servers);
});

/** The answer's status and its text; of a stream of events what came at first. */
async function readAt(server, target) {
  const response = await fetch(`http://${server.ready.public}${target}`,
    {headers: {authorization: `Bearer ${producerToken}`}});
  if (!(response.headers.get('content-type') ?? '').includes('event-stream')) {
    return {status: response.status, text: await response.text()};
  }
  const reader = response.body.getReader();
  let text = '';
  while (!text.includes('\n\n')) text += Buffer.from((await reader.read()).value).toString();
  await reader.cancel();
  return {status: response.status, text};
}

test('every read of a stream waits for a token, and fails when it does not come', async () => {
  const servers = await world.startFleet('polling', {extra: 'read: {wait_max: 2s}\n'});
  const reads = ['facts', 'follow', 'position'].map(what => `/v1/streams/events/${what}`);
  for (const read of reads) {
    const {json} = await servers[0].append([message(1)]);
    const isPosition = read.endsWith('position');
    const from = isPosition ? '' : `&after=s${json.first - 1}`;
    const there = await readAt(servers[1], `${read}?at_least=${json.token}${from}`);
    assert.equal(there.status, 200, there.text);
    if (isPosition) {
      const again = await readAt(servers[1], `${read}?at_least=${JSON.parse(there.text).token}`);
      assert.equal(again.status, 200);
    } else {
      assert.match(there.text, new RegExp(`"id":${json.first}\\b`));
    }
    for (const parameter of isPosition ? ['at_least'] : ['at_least', 'after']) {
      const late = await readAt(servers[1], `${read}?${parameter}=s999999`);
      assert.equal(late.status, 504, `${read} ${parameter}`);
      assert.equal(JSON.parse(late.text).code, 'deadline');
    }
    const wrong = await readAt(servers[1], `${read}?at_least=x`);
    assert.equal(wrong.status, 400, read);
  }
  await endFleet(servers);
});

test('services are asked for where they are delivered to', async () => {
  const servers = await world.startFleet('polling');
  const answers = await Promise.all(servers.map(each =>
    each.request('admin', 'GET', '/v1/services')));
  assert.equal(answers.filter(each => each.status === 200).length, 1);
  const others = answers.filter(each => each.status === 503);
  assert.equal(others.length, 2);
  for (const each of others) assert.match(each.json.detail, /instance w1 delivers/);
  await servers[0].stop();
  await eventually('another one to deliver', async () => {
    const later = await Promise.all(servers.slice(1).map(each =>
      each.request('admin', 'GET', '/v1/services')));
    return later.some(each => each.status === 200);
  });
  await endFleet(servers);
});
