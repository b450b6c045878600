// The most memory that a server has held under each attack, and that it still answers.
import {readFileSync} from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {Server, eventually, producerToken} from '../tests/e2e/harness.mjs';

const peakMebibytes = server =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) /
    1024;

const head = (method, target, rest = '') => `${method} ${target} HTTP/1.1\r\nHost: x\r\n` +
  `Authorization: Bearer ${producerToken}\r\n${rest}\r\n`;

/** Sockets that send these bytes and stay. They read nothing when `deaf`. */
async function connectAll(server, count, bytes, deaf = false) {
  const [host, port] = server.ready.public.split(':');
  const sockets = Array.from({length: count}, () => {
    const socket = net.connect(Number(port), host).on('error', () => {});
    if (deaf) socket.pause(); else socket.resume();
    socket.write(bytes);
    return socket;
  });
  await sleep(3000);
  return () => sockets.forEach(socket => socket.destroy());
}

const fact = (bytes, number = 0) =>
  JSON.stringify({type: 'm.x', sender: `@s${number}:x`, room_id: '!r:x', body: 'x'.repeat(bytes)});

async function appendMany(server, count, bytes, stream = 'events') {
  for (let number = 0; number < count; number += 1) {
    const answer = await server.appendRaw(fact(bytes, number), {}, stream);
    if (answer.status !== 200) throw new Error(`an append was answered ${answer.status}`);
  }
}

const pauseAll = (server, count, verb) => Promise.all(Array.from({length: count}, (_, i) =>
  server.request('admin', 'POST', `/v1/services/s${i}/${verb}`)));

/** Receivers that take a request and never answer. They are behind by what `work` appends. */
async function withHungReceivers(server, count, work) {
  const receiver = http.createServer(request => request.resume());
  await new Promise(resolve => receiver.listen(0, '127.0.0.1', resolve));
  for (let i = 0; i < count; i += 1) {
    await server.putService(`s${i}`, `http://127.0.0.1:${receiver.address().port}/${i}`);
  }
  await pauseAll(server, count, 'pause');
  await work();
  await pauseAll(server, count, 'resume');
  await sleep(5000);
  receiver.closeAllConnections();
  receiver.close();
}

const attacks = [
  ['nothing', async () => {}],
  ['40 bodies of 14 MB, of which the last byte does not come', async server => {
    const bytes = 14_000_000;
    const leave = await connectAll(server, 40, head('POST', '/v1/streams/events/facts',
      `Content-Type: application/json\r\nContent-Length: ${bytes}\r\n`) + 'x'.repeat(bytes - 1));
    await sleep(5000);
    leave();
  }],
  ['5,000 connections that send half a request', async server => {
    (await connectAll(server, 5000, 'GET / HT'))();
  }],
  ['1,000 followers that read nothing, beside 100 MB of facts', async server => {
    const leave = await connectAll(server, 1000, head('GET', '/v1/streams/events/follow'), true);
    await appendMany(server, 1000, 100_000);
    leave();
  }],
  ['60 receivers that never answer, with 8 MB each', server =>
    withHungReceivers(server, 60, () => appendMany(server, 80, 100_000))],
  ['500 streams of 1 MB, each read back', async server => {
    for (let i = 0; i < 500; i += 1) {
      await appendMany(server, 10, 100_000, `s${i}`);
      await server.request('public', 'GET', `/v1/streams/s${i}/facts`);
    }
  }],
];

export async function hostile({rounds}) {
  const rows = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [number, [name, attack]] of attacks.entries()) {
      const server = await Server.start('append: {auto_create_streams: true}');
      await attack(server);
      const answers = async () => (await server.appendRaw(fact(10))).status === 200;
      await eventually(`an append after ${name}`, answers);
      rows[number] ??= [name, []];
      rows[number][1].push(peakMebibytes(server));
      await server.end();
    }
  }
  return {title: 'The most memory held under an attack, MiB', head: ['attack', 'MiB'], rows};
}
