// Tables of medians with the range they came from.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Three significant digits: the machine's noise leaves no more. */
export function rounded(value) {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}

/** Median (lowest to highest). */
export function spread(values) {
  return `${rounded(median(values))} (${rounded(Math.min(...values))}–${
    rounded(Math.max(...values))})`;
}

/** Round by round, so that both sides saw the same moment of a noisy machine. */
export function ratio(ours, theirs) {
  return spread(ours.map((value, round) => value / theirs[round]));
}

export function printTable(title, head, rows) {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map(row => String(row[column]).length)));
  const line = row => row.map((cell, column) => String(cell).padEnd(widths[column])).join('  ')
    .trimEnd();
  console.log(`\n${title}\n${line(head)}\n${widths.map(width => '-'.repeat(width)).join('  ')}`);
  for (const row of rows) console.log(line(row));
}
