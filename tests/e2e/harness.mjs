// Starts the real binary and real receivers for the end-to-end tests.
import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import pg from 'pg';

const root = path.resolve(import.meta.dirname, '../..');
export const binary = process.env.BINARY_UNDER_TEST ?? path.join(root, 'build/release/postrider');
export const adminToken = 'change-me-admin';
export const producerToken = 'change-me-producer';

const trafficFile = path.join(root, 'tests/data/homeserver-traffic/transactions.ndjson');

/** The room events that the real homeserver sent to a service, in order. */
export function recordedEvents(service) {
  return readFileSync(trafficFile, 'utf8').trim().split('\n').map(line => JSON.parse(line))
    .filter(transaction => transaction.service === service)
    .flatMap(transaction => JSON.parse(transaction.body).events);
}

export function temporaryFolder() {
  return mkdtempSync(path.join(tmpdir(), 'postrider-e2e-'));
}

/** Fails, with what was waited for, when it does not come true. */
export async function eventually(what, condition, seconds = 60) {
  const deadline = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < deadline) {
    last = await condition();
    if (last) return last;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  throw new Error(`waited ${seconds} s in vain for: ${what}`);
}

/** A file in the folder, or a schema of its own on the server that DATABASE_UNDER_TEST names. */
function databaseSettings(folder) {
  const url = process.env.DATABASE_UNDER_TEST;
  if (!url) return `database: sqlite:${folder}/postrider.db`;
  const schema = path.basename(folder).toLowerCase().replace(/[^a-z0-9]/g, '_');
  return `database: ${url}\nstorage: {schema: ${schema}}`;
}

export function configText(folder, extra = '', database = databaseSettings(folder)) {
  return `${database}
public: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
tokens: {admin: "${adminToken}", producers: ["${producerToken}"]}
streams: {events: {format: matrix}}
outbound: {allow: ["127.0.0.0/8"]}
${extra}`;
}

/** Runs the binary to its end. */
export function runBinary(args, options = {}) {
  return new Promise(resolve => {
    const child = spawn(binary, args, {stdio: ['ignore', 'pipe', 'pipe'], ...options});
    const output = {stdout: '', stderr: ''};
    child.stdout.on('data', data => (output.stdout += data));
    child.stderr.on('data', data => (output.stderr += data));
    child.on('close', code => resolve({code, ...output}));
  });
}

export class Server {
  constructor(folder, extra = '', database) {
    this.folder = folder;
    this.configFile = path.join(folder, 'postrider.yaml');
    writeFileSync(this.configFile, configText(folder, extra, database));
    this.agent = new http.Agent({keepAlive: true, maxSockets: 128});
    this.log = '';
  }

  static async start(extra = '', folder = temporaryFolder(), database) {
    const server = new Server(folder, extra, database);
    await server.start();
    return server;
  }

  /** The program, and what stands before its arguments. */
  command() {
    return [binary];
  }

  async start() {
    const [program, ...args] = this.command();
    this.child = spawn(program, [...args, 'serve', '--config', this.configFile], {stdio: 'pipe'});
    this.child.stderr.on('data', data => (this.log += data));
    this.exited = new Promise(resolve => this.child.once('exit', (code, signal) => {
      resolve(signal ?? code);
    }));
    const lines = createInterface({input: this.child.stdout});
    const ready = new Promise(resolve => lines.once('line', resolve));
    const first = await Promise.race([ready, this.exited]);
    if (typeof first !== 'string' || !first.startsWith('{')) {
      throw new Error(`the server ended (${first}): ${this.log}`);
    }
    this.ready = JSON.parse(first);
  }

  /** SIGTERM; gives the exit code. */
  async stop() {
    this.child.kill('SIGTERM');
    return this.exited;
  }

  async kill9() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async end() {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.kill9();
    this.agent.destroy();
    rmSync(this.folder, {recursive: true, force: true});
  }

  request(where, method, target, {body, headers = {}, token} = {}) {
    const [host, port] = this.ready[where].split(':');
    const bearer = token ?? (where === 'admin' ? adminToken : producerToken);
    return new Promise((resolve, reject) => {
      const request = http.request({
        host, port, method, path: target, agent: this.agent,
        headers: {...(bearer && {authorization: `Bearer ${bearer}`}), ...headers},
      }, response => {
        const parts = [];
        response.on('data', part => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          const json = (response.headers['content-type'] ?? '').includes('json') && text;
          resolve({status: response.statusCode, headers: response.headers, text,
            json: json ? JSON.parse(text) : undefined});
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  appendRaw(body, headers = {}, stream = 'events') {
    return this.request('public', 'POST', `/v1/streams/${stream}/facts`,
      {body, headers: {'content-type': 'application/json', ...headers}});
  }

  append(facts, headers = {}) {
    return this.appendRaw(JSON.stringify(facts), headers);
  }

  async position() {
    return (await this.request('public', 'GET', '/v1/streams/events/position')).json.position;
  }

  putService(id, url, changes = {}) {
    const registration = {
      id, url, as_token: `as_${id}`, hs_token: `hs_${id}`, sender_localpart: `${id}bot`,
      namespaces: {users: [{exclusive: false, regex: '@.*'}]}, ...changes,
    };
    return this.request('admin', 'PUT', `/v1/services/${id}`, {
      body: JSON.stringify(registration), headers: {'content-type': 'application/json'},
    });
  }

  async service(id) {
    return (await this.request('admin', 'GET', `/v1/services/${id}`)).json;
  }

  async sortLag() {
    const {text} = await this.request('admin', 'GET', '/metrics');
    return Number(/^postrider_sort_lag_ids\{stream="events"\} (\d+)/m.exec(text)[1]);
  }

  caughtUp(id, seconds = 60) {
    return eventually(`service ${id} to have everything`, async () => {
      return (await this.sortLag()) === 0 && (await this.service(id)).behind === 0;
    }, seconds);
  }
}

/** A PostgreSQL server of its own on a loopback port. */
export class PostgresServer {
  folder = temporaryFolder();

  run(command) {
    const script = path.join(root, 'tests/servers/postgres');
    return execFileSync(script, [command, path.join(this.folder, 'server'), process.pid],
      {encoding: 'utf8'});
  }

  start() {
    this.url = this.run('start').trim();
    return this;
  }

  end() {
    this.run('stop');
    rmSync(this.folder, {recursive: true, force: true});
  }
}

/** Works with a connection to a PostgreSQL database. */
export async function withClient(url, work) {
  const client = new pg.Client({connectionString: url});
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

let applications = 0;

/** A database of an application's own, with an outbox; gives its URL. */
export async function newApplication(postgres) {
  applications += 1;
  const name = `application_${applications}`;
  await withClient(postgres.url, client => client.query(`CREATE DATABASE ${name}`));
  const url = new URL(postgres.url);
  url.pathname = name;
  const installed = await runBinary(['outbox', 'install', url.href]);
  if (installed.code !== 0) throw new Error(installed.stderr);
  return url.href;
}

export function freePort() {
  return new Promise(resolve => {
    const server = http.createServer().listen(0, '127.0.0.1', () => {
      const {port} = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class RedisServer {
  constructor(options = []) {
    this.options = options;
  }

  async start() {
    this.port ??= await freePort();
    this.child = spawn('redis-server', ['--port', this.port, '--bind', '127.0.0.1', '--save', '',
      ...this.options], {stdio: 'ignore', cwd: tmpdir()});
    this.exited = new Promise(resolve => this.child.once('exit', resolve));
    this.url = `redis://127.0.0.1:${this.port}`;
    return this;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

/** Records every transaction byte for byte; `answer(transaction, response)` may misbehave. */
export class Receiver {
  transactions = [];
  inFlight = new Map();
  overlaps = 0;
  answer = (_, response) => response.writeHead(200, {'content-type': 'application/json'}).end('{}');

  async start(port = 0) {
    this.server = http.createServer((request, response) => this.receive(request, response));
    this.server.keepAliveTimeout = 60_000;
    await new Promise(resolve => this.server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  receive(request, response) {
    const [service] = request.url.slice(1).split('/');
    const already = this.inFlight.get(service) ?? 0;
    if (already > 0) this.overlaps += 1;
    this.inFlight.set(service, already + 1);
    response.once('close', () => this.inFlight.set(service, this.inFlight.get(service) - 1));
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => {
      const transaction = {
        service, id: request.url.split('/').pop(), url: request.url, method: request.method,
        headers: request.headers, body: Buffer.concat(parts).toString(),
      };
      this.transactions.push(transaction);
      this.answer(transaction, response);
    });
  }

  of(service) {
    return this.transactions.filter(transaction => transaction.service === service);
  }

  /** What a receiver has seen that remembers so many of the last transaction IDs. */
  facts(service, remembers = 1) {
    const facts = [];
    const last = [];
    for (const transaction of this.of(service)) {
      if (last.includes(transaction.id)) continue;
      last.push(transaction.id);
      if (last.length > remembers) last.shift();
      facts.push(...JSON.parse(transaction.body).events);
    }
    return facts;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }
}

export function message(number, changes = {}) {
  return {
    type: 'm.room.message', room_id: '!r:example.test', sender: '@alice:example.test',
    event_id: `$${number}`, origin_server_ts: 1_700_000_000_000 + number,
    content: {body: `message ${number}`}, ...changes,
  };
}
