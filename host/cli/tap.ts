/** `sakuraio tap`: passes a UART through between an MCU and its module, and shows what goes by. */
import { reasonOf } from "../../protocol/errors.ts";
import type { TapLines } from "../bridge/links/tap.ts";
import { TapDecoder, type TapEvent } from "../bridge/links/tap-decoder.ts";
import { TapPipe, type TapSide } from "../bridge/links/tap-pipe.ts";
import { FrameLines } from "./frame-text.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";
import { jsonLine } from "./json-line.ts";
import { nameOf, tapEventJson } from "./tap-json.ts";
import { openTapLines, parseTapPlaces } from "./tap-lines.ts";
import { recordTap, type TapRecorder } from "./tap-recorder.ts";

export interface TapOptions {
  readonly mcu: string;
  readonly module: string;
  /** A file to be made, that keeps each frame. */
  readonly record?: string | undefined;
  readonly json: boolean;
}

/**
 * Runs until the signal, or until a side is gone.
 * @throws SakuraError INVALID_ARGUMENT; FILE_FAILED for `record`; a port's own codes
 */
export async function tap(options: TapOptions, io: CliIo): Promise<ExitCode> {
  const { json, record } = options;
  const lines = await openTapLines(parseTapPlaces(options), io.signal);
  try {
    const recorder = record === undefined ? undefined : recordTap(record, io);
    const stop = passThrough(lines, io, json, recorder);
    const ready = jsonLine({ event: "ready", endpoints: { mcu: lines.endpoint } });
    printLine(io.stdout, json ? ready : `the MCU's side is ${lines.endpoint}; Ctrl+C stops it`);
    const lost = await Promise.race([lines.lost, aborted(io.signal)]);
    stop();
    recorder?.stop();
    if (lost) throw lost;
    return 0;
  } finally {
    await lines.close();
  }
}

/** Returns the end of it. */
function passThrough(lines: TapLines, io: CliIo, json: boolean, recorder: TapRecorder | undefined): () => void {
  const print = (line: string): void => printLine(io.stdout, line);
  const text = new FrameLines(io.stdout);
  const decoder = new TapDecoder((event) => (json ? print(tapEventJson(event)) : say(event, text)));
  const pipe = new TapPipe(lines.module, {
    passed(from, bytes) {
      recorder?.passed(from, bytes);
      decoder.push(from, bytes, Date.now());
    },
    dropped(from, bytes) {
      // A module that speaks when no MCU is there speaks to nobody.
      if (from !== "mcu") return;
      if (json) print(jsonLine({ event: "dropped", from, bytes }));
      else text.note(`${bytes} bytes of the MCU's were dropped: the module does not take them`);
    },
    mcuChanged() {
      recorder?.reset();
      decoder.reset();
    },
    failed(error) {
      decoder.reset();
      printLine(io.stderr, `sakuraio: what passed could not be shown: ${reasonOf(error)}`);
    },
  });
  const stop = lines.onMcu((mcu) => pipe.connect(mcu));
  return () => {
    stop();
    pipe.close();
  };
}

function say(event: TapEvent, lines: FrameLines): void {
  switch (event.kind) {
    case "request":
      return lines.request(event.at, event.frame);
    case "answer":
      return lines.answer(event.at, event.frame, { to: event.to });
    case "unanswered":
      return lines.note(`${nameOf(event.request.frame)} had no good answer`);
    case "noise":
      return lines.note(`${event.bytes} byte${event.bytes === 1 ? "" : "s"} of noise from the ${sideName(event.from)}`);
  }
}

function sideName(side: TapSide): string {
  return side === "mcu" ? "MCU" : "module";
}
