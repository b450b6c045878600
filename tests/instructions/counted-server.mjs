// A server under callgrind, whose instructions are counted while it does something.
//
// A count is that of the whole process outside the kernel, all threads together. It depends neither
// on the machine's speed nor on its load. Valgrind shows programs the same processor (an i7-4910MQ)
// on every machine that has AVX2, so that glibc, simdjson and OpenSSL choose the same functions. It
// counts each byte of a `rep movsb` as an instruction, which is why glibc has to do without them.
import {execFile} from 'node:child_process';
import {cpSync, mkdirSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import {Server, binary, eventually} from '../e2e/harness.mjs';

const run = promisify(execFile);

export class CountedServer extends Server {
  constructor(folder, extra) {
    super(folder, extra, `database: sqlite:${folder}/postrider.db`);
  }

  command() {
    return ['env', 'GLIBC_TUNABLES=glibc.cpu.hwcaps=-ERMS', 'valgrind', '--tool=callgrind',
      '--quiet', '--instr-atstart=no', '--separate-threads=yes',
      `--vgdb-prefix=${this.folder}/vgdb`,
      `--callgrind-out-file=${this.folder}/callgrind.out`, binary];
  }

  async tell(command) {
    await run('vgdb', [`--pid=${this.child.pid}`, `--vgdb-prefix=${this.folder}/vgdb`, command]);
  }

  /** Instructions from the beginning of `work` until everything that follows from it is done too.
   * What `callgrind_annotate` reads is left in the folder `profile`, a file for each thread. */
  async count(work, profile) {
    await this.rest();
    await this.tell('instrumentation on');
    await work();
    await this.rest();
    await this.tell('dump');
    await this.tell('instrumentation off');
    const dumps = readdirSync(this.folder).filter(name => /^callgrind\.out\.\d/.test(name));
    let sum = 0;
    for (const name of dumps) {
      const file = path.join(this.folder, name);
      sum += Number(/^summary: (\d+)/m.exec(readFileSync(file, 'utf8'))[1]);
      if (profile) {
        mkdirSync(profile, {recursive: true});
        cpSync(file, path.join(profile, name));
      }
      rmSync(file);
    }
    return sum;
  }

  /** Waits until every thread waits, and has for a while. */
  async rest(looks = 5) {
    let before;
    let same = 0;
    await eventually('the server to have nothing to do', () => {
      const now = this.threads();
      same = now === before && !/[^S]/.test(now.replace(/\d+,?/g, '')) ? same + 1 : 0;
      before = now;
      return same === looks;
    });
  }

  /** State and processor time of each thread: `S12,S3`. */
  threads() {
    const tasks = `/proc/${this.child.pid}/task`;
    return readdirSync(tasks).map(task => {
      const fields = readFileSync(`${tasks}/${task}/stat`, 'utf8').split(') ')[1].split(' ');
      return fields[0] + (Number(fields[11]) + Number(fields[12]));
    }).join();
  }
}
