// From an append to its receiver.
import {makeFacts} from './facts.mjs';
import {withServer, withSink} from './servers.mjs';

const sleepUntil = when => new Promise(resolve =>
  setTimeout(resolve, Math.max(0, Number(when - process.hrtime.bigint()) / 1e6)));

/** One fact a request, 300 requests a second whatever the answers take. */
async function appendSteadily(server, facts) {
  const interval = 1_000_000_000n / 300n;
  const begun = process.hrtime.bigint();
  const answers = [];
  for (const [number, fact] of facts.entries()) {
    await sleepUntil(begun + BigInt(number) * interval);
    const stamped = `{"sent_ns":${process.hrtime.bigint()},${fact.slice(1)}`;
    answers.push(server.appendRaw(stamped));
  }
  await Promise.all(answers);
}

/** Percentiles of the time from the request's making to the receiver, in microseconds. */
function latencies(sink, count) {
  return withServer(async server => {
    await server.putService('s0', `${sink.url}/r/s0`);
    await appendSteadily(server, makeFacts(300));
    await server.caughtUp('s0');
    await sink.reset();
    const facts = makeFacts(count);
    await appendSteadily(server, facts);
    await server.caughtUp('s0');
    const {latency_us: latency} = await sink.stats();
    if (latency.count !== facts.length) throw new Error('facts are missing');
    return latency;
  });
}

export async function latency({rounds, scaled}) {
  const all = [];
  await withSink(async sink => {
    for (let round = 0; round < rounds; round += 1) all.push(await latencies(sink, scaled(3000)));
  });
  return {title: 'Append to receiver, 300 facts/s, one a request', head: ['', 'ms'],
    rows: ['p50', 'p99'].map(name => [name, all.map(each => each[name] / 1000)])};
}
