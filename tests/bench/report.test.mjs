// What bench/report makes of figures. docs/performance.md is what it makes of those committed.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {readFileSync, readdirSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {chartsOf} from '../../bench/charts.mjs';
import {documentOf} from '../../bench/document.mjs';
import {barChart} from '../../bench/svg.mjs';
import {ratio, rounded, spread} from '../../bench/table.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const docs = path.join(root, 'docs');
const read = file => readFileSync(path.join(docs, file), 'utf8');

const figures = {
  date: '2026-01-02', revision: 'abc', postrider: '1.2.3', rounds: 3, quick: false, failures: [],
  machine: {cpu: 'A CPU', cores: 2, memory_gib: 4, kernel: 'Linux 6', sync_us: {p50: 90, p99: 300}},
  versions: {Redis: '7.0.15'},
  tables: {
    enqueue: {
      title: 'Facts/s appended', note: 'Sought: more.',
      head: ['facts a call', 'who', 'facts/s', 'ratio: Postrider to this'],
      rows: [
        ['1', 'Postrider', [2000, 1000, 3000], ''],
        ['1', 'A|B <fast>', [4000, 4000, null], [0.5, 0.25, null]],
        ['100', 'Postrider', [50_000, 40_000, 60_000], ''],
        ['100', 'A|B <fast>', [null, null, null], [null, null, null]],
      ],
    },
    e2e: {
      title: 'Facts/s', head: ['facts a job', 'who', 'MiB resident', 'CPU s a million facts'],
      rows: [['1', 'Postrider', [10], [0]], ['1', 'control', [null], [null]]],
    },
    latency: {
      title: 'ms',
      head: ['facts/s', 'who', 'p50', 'p99', 'ratio: Postrider to this'],
      rows: [['100', 'Postrider', [2], [20], ''], ['100', 'other', [1], [300], [2]]],
    },
  },
};

/** Fails unless every element that is opened is closed, in order. */
function assertWellFormed(svg) {
  const open = [];
  for (const [, end, name, attributes] of svg.matchAll(/<(\/?)([\w]+)([^<>]*)>/g)) {
    if (end) assert.equal(open.pop(), name);
    else if (!attributes.endsWith('/')) open.push(name);
    assert.match(attributes, /^( [\w:-]+="[^"<>]*")*\/?$/);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(svg.replaceAll(/<[^<>]*>/g, ''), /[<>]|&(?!amp;|lt;|gt;)/);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
}

test('a cell is the median of its rounds, with their range', () => {
  assert.equal(spread([3000, 1000, 2000]), '2,000 (1,000–3,000)');
  assert.equal(spread([3, 1]), '2 (1–3)');
  assert.equal(spread([1.5]), '1.5');
  assert.equal(spread([null, 5, NaN]), '5');
  assert.equal(spread([null]), '—');
  assert.equal(rounded(0.00012345), '0.000123');
  assert.deepEqual(ratio([10, 30, null, 1], [5, 10, 1, null]), [2, 3, NaN, NaN]);
});

test('the document says what was measured, on what, and where others are ahead', () => {
  const text = documentOf(figures);
  for (const line of [
    '- 2026-01-02, Postrider 1.2.3, revision abc',
    '- A CPU, 2 cores, 4 GiB, Linux 6; everything on this one machine',
    '- `fdatasync` after an append of 8 KiB: p50 90 µs, p99 300 µs',
    '| facts a call | who | facts/s | ratio: Postrider to this |',
    '| 1 | Postrider | 2,000 (1,000–3,000) |  |',
    '| 1 | A\\|B <fast> | 4,000 (4,000–4,000) | 0.375 (0.25–0.5) |',
    '| 100 | A\\|B <fast> | — | — |',
    'Sought: more.',
    '![Facts appended a second, by facts a call](performance/throughput.svg)',
    '- `enqueue` (facts a call: 1), facts/s: A|B <fast>, 3 times',
    '- `latency` (facts/s: 100), p50: other, 2 times',
  ]) assert.ok(text.split('\n').includes(line), `${line}\nis not in\n${text}`);
  assert.doesNotMatch(text, /, p99: other|control, |A trial run|Runs that failed/);
});

test('the document says when a run was a trial, and what failed', () => {
  const text = documentOf({...figures, quick: true, failures: ['pg-boss, 1, round 2: it ended']});
  assert.match(text, /\*\*A trial run/);
  assert.match(text, /## Runs that failed\n\n- pg-boss, 1, round 2: it ended\n/);
});

test('charts are well formed and show what has a value', () => {
  const charts = chartsOf(figures.tables);
  assert.deepEqual(charts.map(({name}) => name), ['throughput', 'latency', 'processor', 'memory']);
  for (const {svg} of charts) {
    assertWellFormed(svg);
    assert.match(svg, /prefers-color-scheme: dark/);
  }
  const [{svg: throughput}, {svg: latency}] = charts;
  assert.equal(throughput.match(/<title>/g).length, 3);
  assert.match(throughput, /<title>A\|B &lt;fast&gt;: 4,000<\/title>/);
  // From 2 to 20 is as wide as from 1 to 10: a third of the three powers of ten.
  assert.match(latency, /width="136\.7"[^>]*><title>Postrider: 2–20/);
});

test('a bar begins at zero and ends at its value', () => {
  const svg = barChart({title: 't', unit: 'u', groups: [{label: 'g', bars: [
    {name: 'whole', to: 100, words: '100'}, {name: 'half', to: 50, words: '50'}]}]});
  const widths = [...svg.matchAll(/<rect x="280" y="\d+" width="([\d.]+)"/g)].map(([, w]) => +w);
  assert.deepEqual(widths, [410, 205]);
});

test('docs/performance.md and its charts are made from docs/performance.json', () => {
  const result = JSON.parse(read('performance.json'));
  assert.equal(read('performance.md'), documentOf(result));
  const charts = chartsOf(result.tables);
  assert.deepEqual(readdirSync(path.join(docs, 'performance')).sort(),
    charts.map(({name}) => `${name}.svg`).sort());
  for (const {name, svg} of charts) {
    assertWellFormed(svg);
    assert.equal(read(`performance/${name}.svg`), svg);
  }
});

test('bench/report refuses what it cannot read, in one line', () => {
  for (const args of [[], ['a', 'b'], ['/nowhere.json'], [path.join(root, 'README.md')],
    [path.join(root, 'tests/e2e/package.json')]]) {
    const {status, stderr, stdout} = spawnSync(path.join(root, 'bench/report'), args,
      {encoding: 'utf8'});
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^bench\/report: [^\n]+\n$/);
  }
});
