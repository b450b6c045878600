// Writes docs/performance.md, its charts, and beside them the figures that they were made from.
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {refuse} from './refuse.mjs';
import {chartsOf} from './charts.mjs';
import {documentOf} from './document.mjs';

const program = 'bench/report';
const docs = path.resolve(import.meta.dirname, '../docs');

function readResult(file) {
  try {
    const text = readFileSync(file, 'utf8');
    const result = JSON.parse(text);
    if (!result.tables || !result.machine) throw new Error('it has no tables or no machine');
    return {text, result};
  } catch (error) {
    return refuse(program, `${file} is not what bench/run --json writes: ${error.message}`);
  }
}

const [file, ...rest] = process.argv.slice(2);
if (!file || rest.length > 0) refuse(program, 'give one file, which bench/run --json has written');
const {text, result} = readResult(file);
rmSync(path.join(docs, 'performance'), {recursive: true, force: true});
mkdirSync(path.join(docs, 'performance'), {recursive: true});
writeFileSync(path.join(docs, 'performance.json'), text);
writeFileSync(path.join(docs, 'performance.md'), documentOf(result));
for (const {name, svg} of chartsOf(result.tables)) {
  writeFileSync(path.join(docs, `performance/${name}.svg`), svg);
}
console.log('docs/performance.md is written');
