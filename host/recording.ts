/** Keeps a session: every frame of a module's port, and what came instead of one, as it goes, in a file or a stream. See `protocol/recording.ts`. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Writable } from "node:stream";
import { formatDateTime } from "../protocol/datetime.ts";
import { errnoOf, reasonOf, SakuraError } from "../protocol/errors.ts";
import { encodeRecordingHeader, encodeRecordingLine } from "../protocol/recording.ts";
import { systemClock } from "./clock.ts";
import type { PortState } from "./connection.ts";
import type { FrameEvent, StrayEvent } from "./transport/exchange.ts";
import { type PortUri, portUriText } from "./uri.ts";
import { version } from "./version.ts";

/** What can be recorded: a `SakuraModule`, or anything else that frames go through. */
export interface FrameSource {
  onFrame(listener: (frame: FrameEvent) => void): () => void;
  /** Where what is no frame is recorded too: a silence needs no line of its own. */
  onStray?(listener: (stray: RecordedStray) => void): () => void;
  /** Where the port's losses are recorded, and its end ends the recording. */
  onState?(listener: (state: PortState) => void): () => void;
}

/** Noise comes from the module, unless it is known to go to it, as on a tap. */
type RecordedStray = StrayEvent & { readonly direction?: FrameEvent["direction"] | undefined };

export interface RecordOptions {
  /** The kind of port and its speed, for the recording's first line. {@link portOfRecording} takes it from a URI. */
  readonly port: { readonly kind: string; readonly baud?: number | undefined };
  /**
   * Told when a line could not be written, such as on a full disk; nothing more is recorded then.
   * @param error FILE_FAILED
   */
  readonly onFailure: (error: SakuraError) => void;
}

/** What of a port may be in a recording: neither its path nor its host, which may name people and places. */
export function portOfRecording(uri: PortUri): RecordOptions["port"] {
  const [kind = uri.kind] = portUriText(uri).split(":");
  const line = uri.kind === "buspirate" ? uri.line : uri;
  return { kind, ...(line.kind === "uart" && { baud: line.baudRate }) };
}

/**
 * Records from now on, until the source is closed or `stop` is called; whichever comes first writes the end. Each line is
 * handed to the system as its frame goes by, so that a crash loses none. The file must not be there yet, and only its
 * owner may read it: a recording holds the values that were sent and received. A stream is written to, and not ended.
 *
 *     const stop = recordSession(module, "bug.ndjson", { port: { kind: "uart" }, onFailure: (error) => console.error(error) });
 *
 * @returns stops it; further calls do nothing
 * @throws SakuraError FILE_FAILED when the file is there already or cannot be made
 */
export function recordSession(
  source: FrameSource,
  to: string | Writable,
  { port, onFailure }: RecordOptions,
): () => void {
  const startedAt = systemClock.now();
  const name = typeof to === "string" ? to : "in the stream";
  const sink = typeof to === "string" ? fileSink(to) : streamSink(to, fail);
  let last = 0;
  let over = false;
  let isLost = false;
  /** A clock that is set back, as the wall's may be under a tap, must not turn the order round. */
  const since = (time: number): number => {
    last = Math.max(last, time - startedAt);
    return last;
  };
  function write(line: string): void {
    if (over) return;
    try {
      sink.write(`${line}\n`);
    } catch (cause) {
      fail(cause);
    }
  }
  function fail(cause: unknown): void {
    if (over) return;
    finish();
    onFailure(cannot("written", name, cause));
  }
  function finish(): void {
    over = true;
    stopFrames();
    stopStrays();
    stopStates();
    try {
      sink.close();
    } catch (cause) {
      onFailure(cannot("closed", name, cause));
    }
  }
  function stop(): void {
    write(encodeRecordingLine({ t: since(systemClock.now()), event: "end" }));
    if (!over) finish();
  }

  let stopFrames = (): void => undefined;
  let stopStrays = (): void => undefined;
  let stopStates = (): void => undefined;
  const host = `node ${process.version} ${process.platform}`;
  write(
    encodeRecordingHeader({ kit: version(), recorded: formatDateTime(Math.floor(startedAt)), port: { ...port }, host }),
  );
  if (over) return stop;
  stopFrames = source.onFrame(({ time, direction, bytes }) =>
    write(encodeRecordingLine({ t: since(time), dir: direction, bytes })),
  );
  stopStrays =
    source.onStray?.((stray) => {
      if (stray.kind === "silence") return;
      const { time, direction: dir = "answer", bytes: noise } = stray;
      write(encodeRecordingLine({ t: since(time), dir, noise }));
    }) ?? stopStrays;
  stopStates =
    source.onState?.((state) => {
      if (state.kind === "closed") return stop();
      // A loss is told again with each attempt to open the port.
      if (state.kind === "lost" && isLost) return;
      isLost = state.kind === "lost";
      write(encodeRecordingLine({ t: since(systemClock.now()), event: state.kind }));
    }) ?? stopStates;
  return stop;
}

interface Sink {
  /** @throws whatever the system says */
  write(text: string): void;
  close(): void;
}

/** Written at once and whole: what is in a stream's memory would go with the process. */
function fileSink(file: string): Sink {
  let handle: number;
  try {
    handle = openSync(file, "wx", 0o600);
  } catch (cause) {
    if (errnoOf(cause) !== "EEXIST") throw cannot("made", file, cause);
    throw new SakuraError("FILE_FAILED", `${file} is there already: name another file, or remove this one first`, {
      context: { file },
      cause,
    });
  }
  return {
    write(text) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    },
    close: () => closeSync(handle),
  };
}

function streamSink(stream: Writable, onFailure: (cause: unknown) => void): Sink {
  stream.on("error", onFailure);
  return {
    write: (text) => void stream.write(text),
    close() {
      stream.off("error", onFailure);
      // What is still on its way may fail later, and nobody would listen.
      stream.on("error", () => undefined);
    },
  };
}

function cannot(what: string, file: string, cause: unknown): SakuraError {
  return new SakuraError("FILE_FAILED", `the recording ${file} cannot be ${what}: ${reasonOf(cause)}`, {
    context: { file },
    cause,
  });
}
