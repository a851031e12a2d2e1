/** What a chart shows. */
export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly { readonly name: string; readonly value: number; readonly isOurs: boolean }[];
}

const WIDTH = 760, NAMES = 230, FIGURES = 70, BAR = 18, STEP = 26, TOP = 64;

/** Draws bars on a logarithmic scale, as an SVG that is readable on light and on dark pages. */
export function barChart({ title, unit, bars }: BarChart): string {
  const least = Math.min(...bars.map(({ value }) => value)), most = Math.max(...bars.map(({ value }) => value));
  const low = Math.floor(Math.log10(least)), high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const xOf = (value: number): number => NAMES + ((Math.log10(value) - low) / (high - low)) * (WIDTH - NAMES - FIGURES);
  const height = TOP + bars.length * STEP + 28;
  const grid = Array.from({ length: high - low + 1 }, (_, place) => {
    const x = xOf(10 ** (low + place)).toFixed(1);
    return `<line class="grid" x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${height - 24}"/><text class="soft" x="${x}" y="${height - 8}" text-anchor="middle">${formatPower(low + place)}</text>`;
  });
  const drawn = bars.map(({ name, value, isOurs }, place) => {
    const y = TOP + place * STEP, end = Math.max(xOf(value), NAMES + 2);
    return [
      `<text x="${NAMES - 8}" y="${y + 13}" text-anchor="end"${isOurs ? ' class="ours-name"' : ''}>${escapeText(name)}</text>`,
      `<rect class="${isOurs ? 'ours' : 'other'}" x="${NAMES}" y="${y}" width="${(end - NAMES).toFixed(1)}" height="${BAR}" rx="2"/>`,
      `<text class="soft" x="${(end + 6).toFixed(1)}" y="${y + 13}">${value >= 100 ? value.toFixed(0) : value.toPrecision(2)}</text>`,
    ].join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeText(title)}">
<style>
.page { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 15px } .soft { fill: #59636e; font-size: 12px } .ours-name { font-weight: 600 }
.grid { stroke: #d1d9e0; stroke-width: 1 } .ours { fill: #0969da } .other { fill: #9aa5b1 }
@media (prefers-color-scheme: dark) { .page { fill: #0d1117 } text { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #3d444d } .ours { fill: #4493f8 } .other { fill: #656c76 } }
</style>
<rect class="page" width="100%" height="100%" rx="6"/>
<text class="title" x="8" y="22">${escapeText(title)}</text>
<text class="soft" x="8" y="42">${escapeText(unit)}</text>
${[...grid, ...drawn].join('\n')}
</svg>
`;
}

function formatPower(power: number): string {
  return power >= 0 ? String(10 ** power) : (10 ** power).toFixed(-power);
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
