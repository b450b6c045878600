// Which charts are drawn from which table.
import {barChart} from './svg.mjs';
import {median, rounded} from './table.mjs';

/** From nothing to the median, with the range of the rounds. */
function medianBar(cell) {
  const values = cell.filter(Number.isFinite);
  return values.length > 0 && {to: median(values), words: rounded(median(values)),
    spread: values.length > 1 ? [Math.min(...values), Math.max(...values)] : undefined};
}

/** From one figure to another. */
function spanBar(low, high) {
  const [from, to] = [median(low), median(high)];
  return from > 0 && {from, to: Math.max(from, to), words: `${rounded(from)}–${rounded(to)}`};
}

const charts = {
  throughput: {table: 'enqueue', title: 'Facts appended a second, by facts a call',
    unit: 'facts/s', figures: ['facts/s'], bar: medianBar},
  latency: {table: 'latency', title: 'From the making of a fact to its receiver, p50 to p99',
    unit: 'ms', figures: ['p50', 'p99'], bar: spanBar, scale: 'log'},
  processor: {table: 'e2e', title: 'Seconds of the processor for a million facts',
    unit: 'CPU s', figures: ['CPU s a million facts'], bar: medianBar},
  written: {table: 'fanout', title: 'Bytes written for a fact at one receiver, by receivers',
    unit: 'bytes', figures: ['bytes written a delivery'], bar: medianBar},
  memory: {table: 'e2e', title: 'Resident memory of server and worker after delivery',
    unit: 'MiB', figures: ['MiB resident'], bar: medianBar},
};

/** The rows of a table by their first cell, as groups of bars; what has no value is left out. */
function groupsOf({head, rows}, {figures, bar}) {
  const columns = figures.map(figure => head.indexOf(figure));
  const groups = new Map();
  for (const row of rows) {
    const label = `${head[0]}: ${row[0]}`;
    const drawn = bar(...columns.map(column => row[column]));
    if (drawn) groups.set(label, [...groups.get(label) ?? [], {name: row[1], ...drawn}]);
  }
  return [...groups].map(([label, bars]) => ({label, bars}));
}

/** Names and SVG of the charts whose tables were measured, with the table of each. */
export function chartsOf(tables) {
  return Object.entries(charts).filter(([, {table}]) => tables[table]).map(([name, chart]) => {
    const {table, title, unit, scale} = chart;
    const groups = groupsOf(tables[table], chart);
    return {name, table, title, svg: barChart({title: `${title} (${unit})`, unit, scale, groups})};
  });
}
