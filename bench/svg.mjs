// Charts of horizontal bars as SVG: groups of bars, each group with an axis of its own.

const width = 780;
const left = 280;
const right = 90;
const plot = width - left - right;
const rowHeight = 20;
const groupGap = 32;

// Told apart without red and green; the second of each is for dark backgrounds.
const colours = [['#0b6bcb', '#58a6ff'], ['#d4701c', '#f0944d'], ['#a34a00', '#d9822b'],
  ['#7d5bbe', '#b197fc'], ['#2a8f8f', '#5cc8c8'], ['#777777', '#a0a0a0'], ['#5a3e9c', '#d0bfff']];

const style = `
  text {font: 12px system-ui, sans-serif; fill: #24292f}
  .title {font-size: 15px; font-weight: 600}
  .group {font-weight: 600}
  .grid {stroke: #d0d7de}
  .spread {stroke: #24292f; stroke-width: 1.5}
${colours.map(([light], at) => `  .c${at} {fill: ${light}}`).join('\n')}
  @media (prefers-color-scheme: dark) {
    text {fill: #e6edf3}
    .grid {stroke: #3d444d}
    .spread {stroke: #e6edf3}
${colours.map(([, dark], at) => `    .c${at} {fill: ${dark}}`).join('\n')}
  }
`;

const escaped = text => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  .replaceAll('>', '&gt;');
const text = (x, y, words, kind = '', anchor = 'start') =>
  `<text x="${x}" y="${y}" class="${kind}" text-anchor="${anchor}">${escaped(words)}</text>`;
const line = (x1, y1, x2, y2, kind) =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${kind}"/>`;
const short = value => Number(value.toPrecision(3)).toLocaleString('en-US',
  {maximumSignificantDigits: 3});
const at = value => Number(value.toFixed(1));

/** From zero, in at most five steps of 1, 2 or 5 times a power of ten. */
function linearScale(bars) {
  const most = Math.max(...bars.flatMap(({to, spread}) => [to, ...spread ?? []]), 1e-9);
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = [1, 2, 5, 10].map(each => each * power).find(each => each * 5 >= most);
  const end = Math.ceil(most / step) * step;
  const ticks = [];
  for (let tick = 0; tick * step <= end; tick += 1) ticks.push(tick * step);
  return {ticks, place: value => left + plot * value / end};
}

/** Whole powers of ten around all groups, so that these can be compared. */
function logScale(groups) {
  const ends = groups.flatMap(({bars}) => bars.flatMap(({from, to}) => [from, to]))
    .filter(value => value > 0);
  const low = Math.floor(Math.log10(Math.min(...ends)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...ends))));
  return {ticks: Array.from({length: high - low + 1}, (_, power) => 10 ** (low + power)),
    place: value => left + plot * (Math.log10(value) - low) / (high - low)};
}

function barOf({name, from, to, spread, words}, colour, scale, y) {
  const begin = from === undefined ? left : scale.place(from);
  const end = scale.place(to);
  const parts = [text(left - 8, y + 14, name, '', 'end'),
    `<rect x="${at(begin)}" y="${y + 3}" width="${at(Math.max(1, end - begin))}" height="14" ` +
    `class="c${colour}"><title>${escaped(`${name}: ${words}`)}</title></rect>`];
  if (spread) {
    parts.push(line(at(scale.place(spread[0])), y + 10, at(scale.place(spread[1])), y + 10,
      'spread'));
  }
  const after = Math.max(end, spread ? scale.place(spread[1]) : end);
  return [...parts, text(at(after) + 6, y + 14, words)];
}

function groupOf({label, bars}, names, scale, top, unit) {
  const bottom = top + 24 + bars.length * rowHeight;
  const parts = [text(left, top + 14, label, 'group')];
  for (const tick of scale.ticks) {
    const x = at(scale.place(tick));
    parts.push(line(x, top + 22, x, bottom, 'grid'),
      text(x, bottom + 15, short(tick), '', 'middle'));
  }
  parts.push(text(left - 8, bottom + 15, unit, '', 'end'));
  bars.forEach((bar, row) => parts.push(...barOf(bar, names.indexOf(bar.name) % colours.length,
    scale, top + 24 + row * rowHeight)));
  return {parts, bottom};
}

function legendOf(names) {
  return names.flatMap((name, number) => {
    const x = 16 + number % 2 * 380;
    const y = 40 + Math.floor(number / 2) * 18;
    return [`<rect x="${x}" y="${y}" width="11" height="11" class="c${number % colours.length}"/>`,
      text(x + 17, y + 10, name)];
  });
}

/**
 * `groups`: a label and bars, each with a name, what it ends at (`to`), optionally where it begins
 * (`from`; zero without), the lowest and highest round (`spread`) and its value in words.
 */
export function barChart({title, unit, scale, groups}) {
  const names = [...new Set(groups.flatMap(({bars}) => bars.map(({name}) => name)))];
  const parts = [text(16, 24, title, 'title'), ...legendOf(names)];
  const shared = scale === 'log' ? logScale(groups) : undefined;
  let y = 48 + Math.ceil(names.length / 2) * 18;
  for (const group of groups) {
    const {parts: drawn, bottom} = groupOf(group, names, shared ?? linearScale(group.bars), y,
      unit);
    parts.push(...drawn);
    y = bottom + groupGap;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" ` +
    `width="${width}" height="${y}" role="img" aria-label="${escaped(title)}">\n` +
    `<style>${style}</style>\n${parts.join('\n')}\n</svg>\n`;
}
