/**
 * A recorded session: every frame between a host and a module, as NDJSON. The first line says what it was made with; then
 * comes a line for each frame, for whatever else the line said where a frame was due (`noise`), and for each change of
 * the port. Pure text: who keeps it, and where, is elsewhere.
 *
 *     {"format":"sakuraio-recording","version":1,"kit":"0.1.0","recorded":"2026-11-25T02:03:04.567Z","port":{"kind":"uart","baud":115200},"host":"node v20.20.2 linux"}
 *     {"t":0.512,"dir":"request","hex":"020002"}
 *     {"t":3.25,"dir":"answer","hex":"01010505"}
 *     {"t":8.125,"dir":"answer","noise":"4552524F520D0A"}
 *     {"t":10.5,"event":"end"}
 */
import { z } from "zod";
import { SakuraError } from "./errors.ts";
import { parseHex, toHex } from "./hex.ts";

/** The one that this version writes and reads. */
const VERSION = 1;

const headerSchema = z.object({
  format: z.literal("sakuraio-recording"),
  version: z.literal(VERSION),
  /** The version of the kit that recorded it. */
  kit: z.string(),
  /** RFC 3339, to the ms: when `t` was 0. */
  recorded: z.string(),
  /** The kind of port, such as `uart`, `tcp`, `buspirate+i2c`, `tap`. No path and no host: those are nobody's business. */
  port: z.object({ kind: z.string(), baud: z.number().int().positive().optional() }),
  /** The runtime and the system, such as `node v20.20.2 linux`. */
  host: z.string(),
});

/** Milliseconds since the start, with a fraction. */
const time = z.number().min(0);

/** A `request` goes to the module, an `answer` comes from it. */
const dir = z.enum(["request", "answer"]);

const someBytes = z.string().transform((digits, context) => {
  const bytes = parseHex(digits);
  if (bytes && bytes.length > 0) return bytes;
  context.issues.push({ code: "custom", message: "no hexadecimal digits", input: digits });
  return z.NEVER;
});

/** The whole frame as it went over the wire, its parity included, good or bad. */
const frameSchema = z.object({ t: time, dir, hex: someBytes });

/** A line of a UART that is no frame, such as `ERROR` or a damaged one, with its end; without one where none came. */
const noiseSchema = z.object({ t: time, dir, noise: someBytes });

const eventSchema = z.object({
  t: time,
  /** The port went away, and was opened again; the end, which a session that was cut off does not have. */
  event: z.enum(["lost", "open", "end"]),
});

export type RecordingHeader = z.infer<typeof headerSchema>;

/** A frame of a recording. */
export interface RecordedFrame {
  /** Milliseconds since the start, with a fraction. */
  readonly t: number;
  readonly dir: "request" | "answer";
  readonly bytes: Uint8Array;
}

/** What came where a frame was due, and is none: a line of a UART with its end, or a part of one. */
export interface RecordedNoise {
  readonly t: number;
  readonly dir: "request" | "answer";
  readonly noise: Uint8Array;
}

/** What happened to the port. */
export type RecordedEvent = z.infer<typeof eventSchema>;

export type RecordedLine = RecordedFrame | RecordedNoise | RecordedEvent;

export interface Recording {
  readonly header: RecordingHeader;
  readonly lines: readonly RecordedLine[];
  /** Whether it ends within a line, as after a crash; that line is not in `lines`. */
  readonly torn: boolean;
}

/** The first line, without its end. */
export function encodeRecordingHeader(header: Omit<RecordingHeader, "format" | "version">): string {
  const { kit, recorded, port, host } = header;
  return JSON.stringify({ format: "sakuraio-recording", version: VERSION, kit, recorded, port, host });
}

/** A further line, without its end. Times are rounded to the µs. */
export function encodeRecordingLine(line: RecordedLine): string {
  const t = Math.round(line.t * 1000) / 1000;
  if ("event" in line) return JSON.stringify({ t, event: line.event });
  const { dir } = line;
  return JSON.stringify("noise" in line ? { t, dir, noise: toHex(line.noise) } : { t, dir, hex: toHex(line.bytes) });
}

/**
 * Reads a recording. A last line that was cut off is left out.
 * @throws SakuraError INVALID_ARGUMENT naming the line
 */
export function parseRecording(text: string): Recording {
  const [first = "", ...rest] = text.split("\n");
  const header = headerSchema.safeParse(parsed(first));
  if (!header.success) throw notOne(1, headerProblem(parsed(first)));
  const lines: RecordedLine[] = [];
  for (const [at, line] of rest.entries()) {
    if (line.trim() === "") continue;
    const read = readLine(line);
    if (read) lines.push(read);
    // What follows the last line end was being written.
    else if (at === rest.length - 1) return { header: header.data, lines, torn: true };
    else throw notOne(at + 2, `is no frame, no noise and no event: ${JSON.stringify(line.slice(0, 60))}`);
  }
  return { header: header.data, lines, torn: false };
}

function readLine(line: string): RecordedLine | undefined {
  const json = parsed(line);
  const frame = frameSchema.safeParse(json);
  if (frame.success) return { t: frame.data.t, dir: frame.data.dir, bytes: frame.data.hex };
  return noiseSchema.safeParse(json).data ?? eventSchema.safeParse(json).data;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function headerProblem(json: unknown): string {
  const known = z.object({ format: z.literal("sakuraio-recording"), version: z.unknown() }).safeParse(json);
  if (!known.success) return 'is no header: a recording begins with {"format":"sakuraio-recording",…';
  if (known.data.version !== VERSION)
    return `is of version ${String(known.data.version)}, and this program reads version ${VERSION}`;
  return "is a header that lacks something: kit, recorded, port, host";
}

function notOne(line: number, problem: string): SakuraError {
  return new SakuraError("INVALID_ARGUMENT", `line ${line} of the recording ${problem}`, { context: { line } });
}
