/** One line that is written over in a terminal; elsewhere a few lines, so that a log stays short. */
export interface ProgressLine {
  show(text: string, isLast: boolean): void;
}

const LOG_EVERY = 5;

export function createProgressLine(): ProgressLine {
  let shown = 0;
  return {
    show(text, isLast) {
      if (process.stdout.isTTY) process.stdout.write(`\r${text}${isLast ? '\n' : ''}`);
      else if (shown++ % LOG_EVERY === LOG_EVERY - 1 || isLast) console.log(text);
    },
  };
}
