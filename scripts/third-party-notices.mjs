// Collects the licences of the libraries that a bundle contains: their authors ask that the text travels with the code.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * @param {readonly import('esbuild').Metafile[]} metafiles
 * @param {string} target
 */
export function writeNotices(metafiles, target) {
  const inputs = metafiles.flatMap((metafile) => Object.keys(metafile.inputs));
  const names = new Set(inputs.flatMap((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []));
  writeFileSync(target, [...names].sort().map(notice).join('\n\n'));
}

/** @param {string} name */
function notice(name) {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(`${folder}/${file}`, 'utf8').trim() : '';
  return `${name} ${version}, ${license}\n${'-'.repeat(40)}\n${text}\n`;
}
