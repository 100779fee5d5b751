/** How a download goes on: a live line for people, an event a second for programs. */
import { performance } from "node:perf_hooks";
import type { FileProgress } from "../../file-download.ts";
import { jsonLine } from "../json-line.ts";
import { bar, type LiveLine } from "../live-line.ts";

const LINE_EVERY_MS = 100;
const EVENT_EVERY_MS = 1000;
const BAR_WIDTH = 10;

export class FileProgressLine {
  readonly #file: number;
  readonly #line: LiveLine;
  readonly #print: ((line: string) => void) | undefined;
  readonly #start = performance.now();
  #shown = Number.NEGATIVE_INFINITY;

  /** @param print where events go, if they are wanted */
  constructor(file: number, line: LiveLine, print: ((line: string) => void) | undefined) {
    this.#file = file;
    this.#line = line;
    this.#print = print;
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  show(progress: FileProgress): void {
    const now = performance.now();
    if (now - this.#shown < (this.#print ? EVENT_EVERY_MS : LINE_EVERY_MS)) return;
    this.#shown = now;
    if (this.#print) this.#print(jsonLine({ event: "progress", file: this.#file, ...progress }));
    else this.#line.show(progressText(this.#file, progress, this.seconds));
  }
}

/** `file 1 [####------]  42 %  43.0 of 102.4 KB, 5.4 KB/s, 0:11 left`, 80 columns at most. */
export function progressText(file: number, { received, size, pass }: FileProgress, seconds: number): string {
  const rate = seconds > 0 ? received / seconds : 0;
  const left = rate > 0 ? `, ${kilobytes(rate)}/s, ${clockText((size - received) / rate)} left` : "";
  const again = pass > 1 ? `, pass ${pass}` : "";
  const of = `${(received / 1000).toFixed(1)} of ${kilobytes(size)}`;
  return `file ${file} ${bar(size === 0 ? 1 : received / size, BAR_WIDTH)}  ${of}${left}${again}`;
}

export function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}

function clockText(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
