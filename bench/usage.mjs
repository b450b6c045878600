// What processes have used, from /proc, with all processes that they started, and what was written.
import {execFileSync} from 'node:child_process';
import {readFileSync, readdirSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';

const ticksPerSecond = 100;

/** The numbers of /proc/PID/stat from the parent's on; undefined when it has just ended. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 4).split(' ').map(Number);
  } catch {
    return undefined;
  }
}

function tree(roots) {
  const parents = readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number)
    .map(pid => [pid, statOf(pid)?.[0]]);
  const found = new Set(roots);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

const sum = values => values.reduce((total, value) => total + value, 0);

/** User and system time; a parent has that of its children which have ended. */
export function cpuSeconds(roots) {
  return sum(tree(roots).map(pid => sum(statOf(pid)?.slice(10, 14) ?? []))) / ticksPerSecond;
}

function fieldOf(pid, file, field) {
  try {
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)[1]);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return 0;
    throw error;
  }
}

/**
 * What was written to the device of the temporary folder, by everybody; NaN if it has none. What
 * /proc says of a process counts all of a large folio when a part of it is written, which Linux has
 * in ext4 since 6.16: for a log that is written over it is 50 times too much.
 */
export function writtenBytes() {
  execFileSync('sync', ['-f', tmpdir()]);
  const {dev} = statSync(tmpdir());
  const device = `${dev >> 8 & 0xfff}:${dev & 0xff | dev >> 12 & 0xfff00}`;
  try {
    const text = readFileSync(`/sys/dev/block/${device}/stat`, 'utf8');
    return Number(text.trim().split(/\s+/)[6]) * 512;
  } catch {
    return NaN;
  }
}

/** Memory in use; what several processes share is counted once. */
export function residentBytes(roots) {
  return sum(tree(roots).map(pid => fieldOf(pid, 'smaps_rollup', 'Pss'))) * 1024;
}

export function usage(roots) {
  return {cpu: cpuSeconds(roots), written: writtenBytes(), resident: residentBytes(roots)};
}
