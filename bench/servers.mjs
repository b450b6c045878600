// What a benchmark starts around its work, and ends whatever becomes of it.
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {PostgresServer, Server} from '../tests/e2e/harness.mjs';
import {Sink} from './parts.mjs';

export async function withServer(work) {
  const server = await Server.start();
  try {
    return await work(server);
  } finally {
    await server.end();
  }
}

export async function withSink(work) {
  const sink = await Sink.start();
  try {
    return await work(sink);
  } finally {
    sink.stop();
  }
}

/** A PostgreSQL server that syncs. */
export async function withPostgres(work) {
  process.env.POSTGRES_FSYNC = 'on';
  const postgres = new PostgresServer().start();
  try {
    return await work(postgres);
  } finally {
    postgres.end();
  }
}

/** Puts services 64 at a time; `registration(number)` gives the rest of a document. */
export async function putServices(server, count, url, registration) {
  const numbers = Array.from({length: count}, (_, number) => number);
  for (let at = 0; at < count; at += 64) {
    const answers = await Promise.all(numbers.slice(at, at + 64).map(number =>
      server.putService(`s${number}`, url(number), registration(number))));
    if (answers.some(answer => answer.status !== 201)) throw new Error('a service was refused');
  }
}

export function factsFile(folder, name, facts) {
  const file = path.join(folder, name);
  writeFileSync(file, facts.map(fact => `${fact}\n`).join(''));
  return file;
}
