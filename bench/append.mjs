// Appends over HTTP beside SQLite alone, and what the tools of the benchmarks do by themselves.
import {producerToken} from '../tests/e2e/harness.mjs';
import {makeFacts} from './facts.mjs';
import {sqliteAlone, wrk} from './parts.mjs';
import {factsFile, withServer, withSink} from './servers.mjs';
import {ratio} from './table.mjs';

/** Facts a second over HTTP. */
async function appended(bodies, lines, seconds) {
  const {requests, seconds: took} = await withServer(server =>
    wrk(`http://${server.ready.public}`, {connections: 64, seconds, bodies, lines, method: 'POST',
      targets: ['/v1/streams/events/facts'], type: 'application/x-ndjson', token: producerToken}));
  return requests * lines / took;
}

export async function append({rounds, folder, seconds}) {
  const facts = makeFacts(25_600);
  const bodies = factsFile(folder, 'append.ndjson', facts);
  const cases = [1, 10, 100].map(lines => ({lines, ours: [], each: [], together: []}));
  for (let round = 0; round < rounds; round += 1) {
    for (const {lines, ours, each, together} of cases) {
      each.push(await sqliteAlone(bodies, folder, lines, seconds));
      ours.push(await appended(bodies, lines, seconds));
      together.push(await sqliteAlone(bodies, folder, 64 * lines, seconds));
    }
  }
  const size = Math.round(facts.join('').length / facts.length);
  return {
    title: `Facts/s appended over HTTP, 64 connections, facts of ${size} B; SQLite alone, a row ` +
      'a fact, the same bytes and sync mode',
    head: ['facts a request', 'Postrider', 'SQLite, commit a request', 'ratio',
      'SQLite, 64 requests a commit', 'ratio'],
    rows: cases.map(({lines, ours, each, together}) => [`${lines}`, ours, each, ratio(ours, each),
      together, ratio(ours, together)]),
  };
}

/** Facts a second that the receiver takes from wrk. */
async function taken(sink, bodies, lines, seconds) {
  const {requests, seconds: took} = await wrk(sink.url, {connections: 64, seconds, bodies, lines,
    method: 'PUT', targets: ['/r/0'], type: 'application/json'});
  return requests * lines / took;
}

/** The ceilings of this machine: nothing here is Postrider. */
export async function alone({rounds, folder, seconds}) {
  const bodies = factsFile(folder, 'alone.ndjson', makeFacts(25_600));
  const cases = [1, 10, 100].map(lines => ({lines, sinks: [], rows: []}));
  await withSink(async sink => {
    for (let round = 0; round < rounds; round += 1) {
      for (const {lines, sinks, rows} of cases) {
        sinks.push(await taken(sink, bodies, lines, seconds));
        rows.push(await sqliteAlone(bodies, folder, lines, seconds));
      }
    }
  });
  return {
    title: 'The tools by themselves, facts/s: wrk to the receiver on 64 connections, SQLite',
    head: ['facts a request or commit', 'wrk to the receiver', 'SQLite'],
    rows: cases.map(({lines, sinks, rows}) => [`${lines}`, sinks, rows]),
  };
}
