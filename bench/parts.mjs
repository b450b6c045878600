// The programs that the benchmarks set against each other.
import {execFile, spawn} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';

const run = promisify(execFile);
const programs = process.env.BENCH_PROGRAMS ??
  path.resolve(import.meta.dirname, '../build/release/bench');

export class Sink {
  static async start() {
    const sink = new Sink();
    sink.child = spawn(path.join(programs, 'bench_sink'), {stdio: ['ignore', 'pipe', 'inherit']});
    const lines = createInterface({input: sink.child.stdout});
    sink.url = `http://127.0.0.1:${await new Promise(resolve => lines.once('line', resolve))}`;
    return sink;
  }

  async stats() {
    return (await fetch(`${this.url}/stats`)).json();
  }

  async reset() {
    await (await fetch(`${this.url}/reset`, {method: 'POST'})).text();
  }

  stop() {
    this.child.kill('SIGKILL');
  }
}

/** Requests of `lines` lines of the file `bodies`; fails unless every answer is a 2xx. */
export async function wrk(url, load) {
  const {connections, seconds, bodies, lines, method, targets, type, token} = load;
  const {stdout} = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '-s',
    path.join(import.meta.dirname, 'requests.lua'), url], {env: {...process.env, BODIES: bodies,
    LINES: lines, METHOD: method, TARGETS: targets.join(','), CONTENT_TYPE: type,
    ...(token && {TOKEN: token})}});
  const result = JSON.parse(stdout.split('\n').find(line => line.startsWith('{')));
  if (result.failed > 0) throw new Error(`${result.failed} of ${result.requests} requests failed`);
  return result;
}

const postgresPrograms = '/usr/lib/postgresql/15/bin';
const quoted = text => `'${text.replaceAll("'", "''")}'`;

/** Facts a second that as many connections insert, a row and a commit each. */
export async function pgbenchInserts(url, folder, facts, {connections, seconds}) {
  const scripts = facts.slice(0, 100).flatMap((fact, number) => {
    const file = path.join(folder, `insert-${number}.sql`);
    writeFileSync(file, `INSERT INTO alone (fact) VALUES (${quoted(fact)});\n`);
    return ['-f', file];
  });
  const {stdout} = await run(path.join(postgresPrograms, 'pgbench'), ['-n', '-c', connections, '-j',
    '1', '-T', seconds, ...scripts, url]);
  return Number(/tps = ([\d.]+)/.exec(stdout)[1]);
}

/** Facts a second that one COPY takes. */
export async function copied(url, folder, facts) {
  const file = path.join(folder, 'copy.txt');
  writeFileSync(file, facts.map(fact => `${fact.replaceAll('\\', '\\\\')}\n`).join(''));
  const begun = process.hrtime.bigint();
  await run('psql', ['-q', url, '-c', `\\copy alone (fact) FROM '${file}'`]);
  return facts.length / (Number(process.hrtime.bigint() - begun) / 1e9);
}

async function googleBenchmark(program, args) {
  const {stdout} = await run(path.join(programs, program), [...args, '--benchmark_format=json']);
  return JSON.parse(stdout).benchmarks;
}

/** Facts a second that SQLite takes in commits of `perCommit`. */
export async function sqliteAlone(factsFile, folder, perCommit, seconds) {
  const [result] = await googleBenchmark('sqlite_alone', [factsFile, folder,
    `--benchmark_filter=append/${perCommit}/`, `--benchmark_min_time=${seconds}`]);
  return result.items_per_second;
}

export function patternMatching() {
  return googleBenchmark('pattern_matching', []);
}
