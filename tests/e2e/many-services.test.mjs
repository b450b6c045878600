import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Receiver, Server, eventually, message} from './harness.mjs';

test('of 1,000 services one that does not answer holds up no other', async () => {
  const receiver = await new Receiver().start();
  const well = receiver.answer;
  let held;
  receiver.answer = (transaction, response) => {
    if (transaction.service === 's500') held = () => well(transaction, response);
    else well(transaction, response);
  };
  const server = await Server.start();
  const ids = Array.from({length: 1000}, (_, i) => `s${i}`);
  for (let at = 0; at < ids.length; at += 50) {
    const answers = await Promise.all(ids.slice(at, at + 50).map(id =>
      server.putService(id, `${receiver.url}/${id}`)));
    assert.ok(answers.every(answer => answer.status === 201));
  }
  for (let i = 0; i < 10; i += 1) await server.append([message(i)]);
  const behind = async () => {
    const {services} = (await server.request('admin', 'GET', '/v1/services')).json;
    return services.filter(service => service.behind > 0).map(service => service.id);
  };
  await eventually('all others to have everything', async () => {
    const late = await behind();
    return (await server.sortLag()) === 0 && late.length === 1 && late[0] === 's500';
  }, 120);
  for (const id of ['s0', 's499', 's999']) {
    assert.deepEqual(receiver.facts(id).map(fact => fact.event_id),
      Array.from({length: 10}, (_, i) => `$${i}`));
  }
  receiver.answer = well;
  held();
  await eventually('the slow one too', async () => (await behind()).length === 0);
  assert.equal(receiver.facts('s500').length, 10);
  assert.equal(receiver.overlaps, 0);
  assert.equal(await server.stop(), 0);
  await server.end();
  await receiver.stop();
});
