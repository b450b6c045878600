// Postrider beside queues that an application would deliver events with: what is measured.
import {withSink} from '../servers.mjs';
import {ratio} from '../table.mjs';
import {entrants} from './contestants.mjs';
import {inTurns} from './run.mjs';
import {endPostgres} from './servers.mjs';
import {bytesPerFact} from './workload.mjs';

const queues = ['postrider', 'bullmq', 'bullmq-always', 'pg-boss', 'graphile-worker'];

/** Runs cases in turns; PostgreSQL is there until the last of them has ended. */
async function measure(run, cases) {
  try {
    await withSink(sink => inTurns(run, sink, cases));
  } finally {
    endPostgres();
  }
}

const valuesOf = (results, figure) => results.map(each => each[figure] ?? NaN);

/** Postrider's rounds of a case; without it there is nothing to set others against. */
function oursOf({entrants: all, results}) {
  const at = all.findIndex(({name}) => name === 'postrider');
  return at < 0 ? [] : results[at];
}

/** A row for each case and contestant: its figures, and for a queue our first one to its. */
function rowsOf(cases, figures) {
  return cases.flatMap(each => each.entrants.map((contestant, at) => {
    const columns = figures.map(name => valuesOf(each.results[at], name));
    return [each.label, contestant.title, ...columns,
      contestant.isQueue ? ratio(valuesOf(oursOf(each), figures[0]), columns[0]) : ''];
  }));
}

export async function enqueue(run) {
  const load = {appendOnly: true, inflight: 50};
  const cases = [
    {label: '1', load: {...load, calls: run.scaled(20_000)}},
    {label: '10', load: {...load, calls: run.scaled(5000), facts: 10}},
    {label: '100', load: {...load, calls: run.scaled(2000), facts: 100, inflight: 20}},
  ].map(each => ({...each, entrants: entrants(run.peers, queues)}));
  await measure(run, cases);
  return {
    title: `Facts/s appended, of ${bytesPerFact} B: a request or a job for each call of the ` +
      'client, 50 calls in flight, or 20 of 100 facts; nothing is delivered',
    note: 'Sought: at 1 fact a call as many as BullMQ, at 100 facts 1.3 times as many.',
    head: ['facts a call', 'who', 'facts/s', 'ratio: Postrider to this'],
    rows: rowsOf(cases, ['appended']),
  };
}

/** 100,000 facts in jobs of their own, or 2,000 jobs of 100, appended in bulk. */
const single = run => ({calls: run.scaled(100), jobs: 1000, inflight: 2});
const batch = run => ({calls: run.scaled(40), jobs: 50, facts: 100, inflight: 2});

export async function drain(run) {
  const cases = [
    {label: '1', load: {...single(run), backlog: true}, entrants: [...entrants(run.peers, queues),
      ...entrants(run.peers, ['pg-boss'], {merged: true}, ', merged by hand')]},
    {label: '100', load: {...batch(run), backlog: true}, entrants: entrants(run.peers, queues)},
  ];
  await measure(run, cases);
  return {
    title: 'Facts/s delivered from a backlog to 100 receivers, by one worker process of a queue',
    head: ['facts a job', 'who', 'facts/s', 'ratio: Postrider to this'],
    rows: rowsOf(cases, ['delivered']),
  };
}

export async function e2e(run) {
  const all = [...entrants(run.peers, queues), ...entrants(run.peers, ['direct'])];
  const merged = entrants(run.peers, ['pg-boss'], {ordered: true, merged: true},
    ', in order, merged by hand');
  const cases = [
    {label: '1', load: single(run), entrants: [...all, ...merged]},
    {label: '100', load: batch(run), entrants: all},
  ];
  await measure(run, cases);
  return {
    title: 'Facts appended in bulk and delivered to 100 receivers at once. The processor: the ' +
      'server and the worker together, without the producer; memory as it was at the end',
    note: 'Sought: at 1 fact a job 10 times pg-boss in order and merged, at 100 twice BullMQ.',
    head: ['facts a job', 'who', 'facts/s', 'CPU s a million facts', 'bytes written a fact',
      'MiB resident', 'ratio: Postrider to this'],
    rows: rowsOf(cases, ['delivered', 'cpu', 'written', 'resident']),
  };
}

export async function ordered(run) {
  const inOrder = {ordered: true};
  const cases = [{label: '1', load: {...single(run), calls: run.scaled(20), inflight: 1},
    entrants: [
      ...entrants(run.peers, ['postrider']),
      ...entrants(run.peers, ['bullmq'], inOrder, ', a queue a receiver'),
      ...entrants(run.peers, ['graphile-worker'], inOrder, ', named queues'),
      ...entrants(run.peers, ['pg-boss'], inOrder, ', a queue a receiver'),
      ...entrants(run.peers, ['pg-boss'], {...inOrder, merged: true},
        ', a queue a receiver, merged by hand'),
    ]}];
  await measure(run, cases);
  return {
    title: 'Facts/s to 100 receivers in order, appended by one call at a time, delivered meanwhile',
    note: 'Out of order is what arrived after a later fact of the same receiver.',
    head: ['facts a job', 'who', 'facts/s', 'out of order', 'ratio: Postrider to this'],
    rows: rowsOf(cases, ['delivered', 'outOfOrder']),
  };
}

export async function latency(run) {
  const seconds = run.quick ? 2 : 10;
  const cases = [100, 300, 1000, 3000].map(rate => ({label: `${rate}`,
    load: {rate, calls: rate * seconds, warmUp: rate},
    entrants: entrants(run.peers, [...queues, 'direct'])}));
  await measure(run, cases);
  const rows = cases.flatMap(each => {
    const hops = each.results[each.entrants.findIndex(({name}) => name === 'direct')] ?? [];
    const syncs = each.syncs.map(({p50, p99}) => ({p50: p50 / 1000, p99: p99 / 1000}));
    const least = syncs.map(({p50}, round) => 2 * (hops[round]?.p50 ?? NaN) + p50);
    return [
      ...rowsOf([each], ['p50', 'p99']).map(row =>
        [...row.slice(0, 4), ratio(row[2], least), row[4]]),
      [each.label, 'fdatasync after 8 KiB', valuesOf(syncs, 'p50'), valuesOf(syncs, 'p99'), '', ''],
    ];
  });
  return {
    title: 'From the making of a fact to its receiver in ms, one fact a call at a steady rate',
    note: 'Sought: p50 and p99 below those of each queue. A hop is the p50 of a PUT to the ' +
      'receiver without a queue; two hops and a sync are the least for what is on disk before ' +
      'it is delivered.',
    head: ['facts/s', 'who', 'p50', 'p99', 'ratio: p50 to 2 hops and a sync',
      'ratio: Postrider to this'],
    rows,
  };
}

export async function fanout(run) {
  const deliveries = run.scaled(20_000);
  const cases = [1, 10, 100, 1000].map(receivers => ({label: `${receivers}`,
    load: {receivers, fanout: true, inflight: 20, calls: Math.max(5, deliveries / receivers)},
    entrants: entrants(run.peers, queues)}));
  await measure(run, cases);
  return {
    title: 'One fact to many receivers: an append for Postrider, for a queue a job each, added ' +
      'in one call',
    note: 'Sought: at 1,000 receivers 20 times as many deliveries/s, and a 20th of the bytes.',
    head: ['receivers', 'who', 'deliveries/s', 'bytes written a delivery',
      'CPU s a million deliveries', 'ratio: Postrider to this'],
    rows: rowsOf(cases, ['delivered', 'written', 'cpu']),
  };
}
