// docs/performance.md from what bench/run --json has written.
import {chartsOf} from './charts.mjs';
import {cellText, median, ratio, rounded} from './table.mjs';

const markdownRow = cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function tableOf({title, note, head, rows}) {
  return [`${title}.`, '', markdownRow(head), markdownRow(head.map(() => '---')),
    ...rows.map(row => markdownRow(row.map(cellText))), ...note ? ['', note] : [], ''];
}

function machineOf({date, revision, postrider, machine, versions, rounds}) {
  const {cpu, cores, memory_gib: memory, kernel, sync_us: sync} = machine;
  return [
    '## Where and when', '',
    `- ${date}, Postrider ${postrider}, revision ${revision}`,
    `- ${cpu}, ${cores} cores, ${memory} GiB, ${kernel}; everything on this one machine`,
    `- \`fdatasync\` after an append of 8 KiB: p50 ${sync.p50} µs, p99 ${sync.p99} µs`,
    `- ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}`,
    rounds > 1 ? `- medians of ${rounds} rounds, with the lowest and the highest in brackets`
      : '- one round', '',
  ];
}

const method = [
  '## How it is measured', '',
  '    bench/run --json docs/performance.json    # an hour; --quick is a trial of minutes',
  '    bench/report docs/performance.json        # writes this document and its charts',
  '    bench/compare A B append e2e              # two builds of Postrider, in turns', '',
  'Postrider runs on SQLite. The other queues are what an application would deliver webhooks',
  'with: BullMQ on Redis, pg-boss and graphile-worker on PostgreSQL. Redis has an append-only',
  'file, synced each second (`everysec`), or before each answer (`always`). With `everysec` an',
  'answer says nothing about the disk: the last second may be lost. All other answers here are',
  'durable: PostgreSQL has its stock settings but for the number of connections, so that `fsync`',
  'and `synchronous_commit` are on.', '',
  'Facts are chat messages as JSON of some 480 bytes, thousands of different ones. Producer and',
  'worker of a queue are processes of Node.js, one each; the worker sends a PUT for a job.',
  'Postrider delivers by itself, all that waits for a receiver in one request of at most 100',
  'facts. The receivers are one program that answers at once and counts facts, their numbers, and',
  'their order. A run in which a fact is missing or comes twice is reported as failed.', '',
  'In each round all take their turn, so that they saw the same moments of the machine. Ratios',
  'are taken within a round. Bytes written are those of the whole disk meanwhile, so that nothing',
  'else may run. Memory that processes share counts once.', '',
];

/** How many times better than Postrider's the figure of another row is; a rate is to be high. */
function advantage(name, ours, theirs) {
  const times = median(ratio(theirs, ours));
  return name.includes('/s') ? times : 1 / times;
}

/** The figures in which queues do better than Postrider, in a table of who is how good at what. */
function aheadOf({head, rows}) {
  if (head[1] !== 'who') return [];
  const figures = head.filter((name, column) => column > 1 && !name.startsWith('ratio'));
  return rows.filter(row => Array.isArray(row.at(-1))).flatMap(row => {
    const ours = rows.find(([label, who]) => label === row[0] && who === 'Postrider');
    return figures.flatMap(name => {
      const column = head.indexOf(name);
      const times = ours ? advantage(name, ours[column], row[column]) : 0;
      return times > 1.05 && Number.isFinite(times)
        ? [`(${head[0]}: ${row[0]}), ${name}: ${row[1]}, ${rounded(times)} times`] : [];
    });
  });
}

function aheadSection(tables) {
  const lines = Object.entries(tables).flatMap(([name, table]) =>
    aheadOf(table).map(line => `- \`${name}\` ${line}`));
  const found = lines.length > 0
    ? ['By more than 5 % in the median, and how many times better:', '', ...lines]
    : ['Nowhere by more than 5 %.'];
  return ['## Where others are ahead', '', ...found, ''];
}

function failuresOf(failures) {
  return failures.length === 0 ? []
    : ['## Runs that failed', '', ...failures.map(failure => `- ${failure}`), ''];
}

export function documentOf(result) {
  const charts = chartsOf(result.tables);
  const trial = result.quick ? ['**A trial run (`--quick`): too short for its figures to be ' +
    'quoted.**', ''] : [];
  const tables = Object.entries(result.tables).flatMap(([name, table]) => [`## ${name}`, '',
    ...charts.filter(chart => chart.table === name).flatMap(chart =>
      [`![${chart.title}](performance/${chart.name}.svg)`, '']),
    ...tableOf(table)]);
  return [
    '# Performance', '',
    '<!-- Made by bench/report from performance.json; a test compares them. -->', '',
    ...trial, ...machineOf(result), ...method, ...aheadSection(result.tables),
    ...failuresOf(result.failures), ...tables,
  ].join('\n').trimEnd().concat('\n');
}
