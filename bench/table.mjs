// Tables of medians with the range they came from. A cell is a label, or an array with the value of
// each round; a round that failed has NaN there, which JSON writes as null.

const measured = values => values.filter(Number.isFinite);

export function median(values) {
  const sorted = measured(values).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** Three significant digits: the machine's noise leaves no more. */
export function rounded(value) {
  return Number(value.toPrecision(3)).toLocaleString('en-US', {maximumSignificantDigits: 3});
}

/** Median (lowest to highest), or a dash when no round has a value. */
export function spread(values) {
  const known = measured(values);
  if (known.length === 0) return '—';
  if (known.length === 1) return rounded(known[0]);
  return `${rounded(median(known))} (${rounded(Math.min(...known))}–${
    rounded(Math.max(...known))})`;
}

/** Round by round, so that both sides saw the same moment of a noisy machine. */
export function ratio(ours, theirs) {
  return ours.map((value, round) => (value ?? NaN) / (theirs[round] ?? NaN));
}

export function cellText(cell) {
  return Array.isArray(cell) ? spread(cell) : String(cell);
}

export function printTable({title, note, head, rows}) {
  const texts = rows.map(row => row.map(cellText));
  const widths = head.map((_, column) =>
    Math.max(...[head, ...texts].map(row => row[column].length)));
  const line = row => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd();
  console.log(`\n${title}\n${line(head)}\n${widths.map(width => '-'.repeat(width)).join('  ')}`);
  for (const row of texts) console.log(line(row));
  if (note) console.log(note);
}
