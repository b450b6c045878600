// Resident memory of a server that has nothing to do, and the patterns of many services.
import {eventually} from '../tests/e2e/harness.mjs';
import {makeFacts} from './facts.mjs';
import {patternMatching} from './parts.mjs';
import {putServices, withServer} from './servers.mjs';
import {residentBytes} from './usage.mjs';

/** MiB after a restart, and after a fact that went through the patterns of all services. */
function residentWhenIdle(services) {
  return withServer(async server => {
    await putServices(server, services, number => `http://127.0.0.1:9/s${number}`,
      number => ({namespaces: {users: [{exclusive: false, regex: `@s${number}_.*`}]}}));
    await server.stop();
    await server.start();
    await server.append(makeFacts(1).map(fact => JSON.parse(fact)));
    await eventually('the fact to be sorted', async () => (await server.sortLag()) === 0);
    return residentBytes([server.child.pid]) / 2 ** 20;
  });
}

export async function memory({rounds, scaled}) {
  const services = scaled(10_000);
  const none = [], many = [];
  for (let round = 0; round < rounds; round += 1) {
    none.push(await residentWhenIdle(0));
    many.push(await residentWhenIdle(services));
  }
  return {title: 'Resident memory of Postrider at rest', head: ['idle services', 'MiB'], rows: [
    ['0', none], [`${services}`, many],
    ['each of them, KiB', many.map((value, round) => (value - none[round]) * 1024 / services)],
  ]};
}

export async function patterns() {
  const found = await patternMatching();
  return {
    title: 'Which services a user is of interest to, by services',
    head: ['benchmark', 'unit', 'time'],
    rows: found.map(({name, real_time: time, time_unit: unit}) => [name, unit, [time]]),
  };
}
