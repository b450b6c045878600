// The servers behind the contestants, each on a loopback port and in a folder of its own.
import {spawn} from 'node:child_process';
import {readFileSync, rmSync} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {PostgresServer, Server, eventually, freePort, producerToken, temporaryFolder,
  withClient} from '../../tests/e2e/harness.mjs';
import {putServices} from '../servers.mjs';

/** The process that answers at this port as Redis, if one does. */
function redisProcess(port) {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('INFO server\r\n'));
    let text = '';
    socket.on('data', data => {
      text += data;
      const found = /^process_id:(\d+)/m.exec(text);
      if (found) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(Number(/^process_id:(\d+)/m.exec(text)?.[1])));
  });
}

/** Redis with an append-only file that is synced `everysec` or `always`, and no snapshots. */
export async function openRedis({appendfsync}, port) {
  const folder = temporaryFolder();
  const used = port ?? await freePort();
  const child = spawn('redis-server', ['--port', used, '--bind', '127.0.0.1', '--dir', folder,
    '--save', '', '--appendonly', 'yes', '--appendfsync', appendfsync,
    '--maxmemory-policy', 'noeviction'], {stdio: ['ignore', 'pipe', 'inherit']});
  let log = '', failure;
  child.stdout.on('data', data => (log += data));
  child.on('error', error => (failure = error.message));
  child.on('exit', code => (failure ??= `ended with ${code}: ${log.trim().split('\n').at(-1)}`));
  const end = async () => {
    child.kill('SIGKILL');
    rmSync(folder, {recursive: true, force: true});
  };
  try {
    await eventually('Redis', async () => failure || await redisProcess(used) === child.pid, 20);
    if (failure) throw new Error(`redis-server ${failure}`);
  } catch (error) {
    await end();
    throw error;
  }
  return {options: {url: `redis://127.0.0.1:${used}`}, processes: [child.pid], end,
    settle: async () => {}, deliver: async () => {}};
}

let postgres;

/** PostgreSQL that syncs, as it does by default; one for all runs, each with a new schema. */
export async function openPostgres() {
  if (!postgres) {
    process.env.POSTGRES_FSYNC = 'on';
    postgres = new PostgresServer().start();
  }
  const file = path.join(postgres.folder, 'server/data/postmaster.pid');
  const server = Number(readFileSync(file, 'utf8').split('\n')[0]);
  return {
    options: {url: postgres.url}, processes: [server], end: async () => {},
    // What is due to the disk is on it, so that each run pays for its own writes.
    settle: () => withClient(postgres.url, client => client.query('CHECKPOINT')),
    deliver: async () => {},
  };
}

export function endPostgres() {
  postgres?.end();
  postgres = undefined;
}

const everyUser = '@.*';

/** Postrider with a service for each receiver, which are paused while a backlog is made. */
export async function openPostrider({sink, receivers, fanout, backlog, appendOnly}) {
  const server = await Server.start();
  const all = change => Promise.all(Array.from({length: receivers}, (_, number) =>
    server.request('admin', 'POST', `/v1/services/s${number}/${change}`)));
  try {
    await putServices(server, receivers, number => `${sink}/r/${number}`, number => ({namespaces:
      {users: [{exclusive: false, regex: fanout ? everyUser : `@r${number}:.*`}]}}));
    if (backlog || appendOnly) await all('pause');
  } catch (error) {
    await server.end();
    throw error;
  }
  return {
    options: {url: `http://${server.ready.public}`, token: producerToken},
    processes: [server.child.pid], end: () => server.end(), settle: async () => {},
    deliver: async () => backlog && await all('resume'),
  };
}

export async function openNothing() {
  return {options: {}, processes: [], end: async () => {}, settle: async () => {},
    deliver: async () => {}};
}
