/** RFC 3339 in UTC, as the platform's messages carry it. */
import { SakuraError } from "./errors.ts";

/** The first and the last millisecond that four digits of a year can name. */
const MIN_MS = -62_167_219_200_000;
const MAX_MS = 253_402_300_799_999;

let lastSecond = Number.NaN;
let lastPrefix = "";

/**
 * Milliseconds since the Unix epoch, with a fraction where the clock has one, as `2018-06-21T01:10:57.770Z`: three
 * fraction digits, or as many of nine as the fraction needs. A time outside the years 0000 to 9999, which an absurd
 * offset can ask for, becomes the nearest one inside.
 */
export function formatDateTime(epochMs: number): string {
  const ms = Math.min(Math.max(epochMs, MIN_MS), MAX_MS);
  const whole = Math.floor(ms);
  const second = Math.floor(whole / 1000);
  // Messages come many to a second, and the date is the dear part.
  if (second !== lastSecond) {
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 20);
    lastSecond = second;
  }
  const millis = String(whole - second * 1000).padStart(3, "0");
  const nanos = Math.floor((ms - whole) * 1e6);
  const tail = nanos === 0 ? "" : String(nanos).padStart(6, "0").replace(/0+$/, "");
  return `${lastPrefix}${millis}${tail}Z`;
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):\d{2}:\d{2})(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * RFC 3339 with any number of fraction digits (the tenth and later ones are cut off) and any zone, as nanoseconds since
 * the Unix epoch, exact.
 * @throws SakuraError INVALID_ARGUMENT when the text is no such time
 */
export function parseDateTime(text: string): bigint {
  const match = RFC3339.exec(text);
  const seconds = match ? Date.parse(`${match[1]}T${match[2]}${match[4]?.toUpperCase()}`) : Number.NaN;
  if (!match || Number.isNaN(seconds) || !isDay(match[1] ?? ""))
    throw new SakuraError(
      "INVALID_ARGUMENT",
      `an RFC 3339 time, such as 2018-06-21T01:10:57.770020629Z, not "${text}"`,
    );
  return BigInt(seconds) * 1_000_000n + BigInt((match[3] ?? "").padEnd(9, "0"));
}

/** Date.parse takes 30 February for 2 March; the calendar has no such day. */
function isDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
