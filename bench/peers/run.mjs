// One run of one contestant: a load, from a fresh start until every fact has arrived.
import {eventually} from '../../tests/e2e/harness.mjs';
import {syncTimes} from '../machine.mjs';
import {usage} from '../usage.mjs';
import {PeerProcess} from './process.mjs';

const arrivalLimitSeconds = 180;
const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** What the calls append, what has to arrive of it, and the sum of the numbers of these facts. */
function expectedOf({calls, jobs, facts, fanout, receivers, from}) {
  const appended = calls * jobs * facts;
  const copies = fanout ? receivers : 1;
  const before = from * jobs * facts;
  return {appended, facts: appended * copies,
    sum: copies * (appended * before + appended * (appended + 1) / 2)};
}

async function arrived(sink, expected, processes) {
  const stats = await eventually(`${expected.facts} facts to arrive`, async () => {
    const ended = processes.find(each => each.failure);
    if (ended) throw ended.failure;
    // The sink sorts all latencies for an answer, and says itself when the last fact came.
    await sleep(100);
    const counted = await sink.stats();
    return counted.facts >= expected.facts && counted;
  }, arrivalLimitSeconds);
  if (stats.facts !== expected.facts || stats.seq_sum !== expected.sum) {
    throw new Error(`${stats.facts} facts arrived for ${expected.facts}, the sum of their ` +
      `numbers is ${stats.seq_sum} instead of ${expected.sum}`);
  }
  return stats;
}

async function warmUp(sink, producer, load, processes) {
  await producer.call('produce', load);
  await arrived(sink, expectedOf(load), processes);
  await sink.reset();
}

const now = () => Number(process.hrtime.bigint());

/** Rates a second; of the processor, seconds for a million facts; bytes a fact; MiB; ms. */
function figures({begun, ended, produced, expected, before, after, stats}) {
  return {
    appended: expected.appended / produced.seconds,
    delivered: expected.facts / ((ended - begun) / 1e9),
    ...(after && {
      cpu: (after.cpu - before.cpu) / expected.facts * 1e6,
      written: (after.written - before.written) / expected.facts,
      resident: after.resident / 2 ** 20,
    }),
    outOfOrder: stats?.out_of_order,
    p50: stats?.latency_us.p50 / 1000,
    p99: stats?.latency_us.p99 / 1000,
  };
}

async function measure(sink, {server, producer, worker}, load) {
  const processes = worker ? [producer, worker] : [producer];
  const used = [...server.processes, ...(worker ? [worker.pid] : [])];
  const usageNow = () => used.length > 0 ? usage(used) : undefined;
  const startDelivery = async () => {
    await worker?.call('openWorker', load);
    await server.deliver();
  };
  if (!load.backlog && !load.appendOnly) await startDelivery();
  await producer.call('openProducer', load);
  if (load.warmUp > 0) {
    await warmUp(sink, producer, {...load, from: 0, calls: load.warmUp}, processes);
  }
  await server.settle();
  const before = usageNow();
  let begun = now();
  const produced = await producer.call('produce', load);
  if (load.backlog) {
    begun = now();
    await startDelivery();
  }
  const expected = expectedOf(load);
  const stats = load.appendOnly ? undefined : await arrived(sink, expected, processes);
  const ended = stats?.last_ns ?? now();
  await server.settle();
  return figures({begun, ended, produced, expected, before, after: usageNow(), stats});
}

/**
 * `load`: calls with `jobs` jobs of `facts` facts, `inflight` at a time or `rate` a second, to
 * `receivers`; each fact goes to one of them, or with `fanout` to all. `backlog`: nothing is
 * delivered before all is appended; `appendOnly`: nothing at all. `warmUp`: calls before.
 */
export async function runOnce(sink, contestant, load) {
  const asked = {jobs: 1, facts: 1, inflight: 1, receivers: 100, from: load.warmUp ?? 0, ...load,
    ...contestant.how, sink: sink.url};
  let server, producer, worker;
  try {
    server = await contestant.open(asked);
    const options = {...asked, ...server.options};
    producer = await PeerProcess.start(contestant.adapter);
    await producer.call('reset', options);
    if (contestant.isQueue) worker = await PeerProcess.start(contestant.adapter);
    await sink.reset();
    return await measure(sink, {server, producer, worker}, options);
  } finally {
    producer?.end();
    worker?.end();
    await server?.end();
  }
}

/** Rounds of all cases, in each of which the disk and all contestants take their turn. */
export async function inTurns({rounds, folder, failures}, sink, cases) {
  for (const each of cases) Object.assign(each, {results: each.entrants.map(() => []), syncs: []});
  for (let round = 1; round <= rounds; round += 1) {
    for (const {label, load, entrants, results, syncs} of cases) {
      syncs.push(syncTimes(folder));
      for (const [at, contestant] of entrants.entries()) {
        try {
          results[at].push(await runOnce(sink, contestant, load));
        } catch (error) {
          failures.push(`${contestant.title}, ${label}, round ${round}: ${error.message}`);
          console.error(`failed: ${failures.at(-1)}`);
          results[at].push({});
        }
      }
    }
  }
}
