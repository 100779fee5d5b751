/** `--trace` and `--record`: what a verb does on the wire, shown and kept. */
import type { SakuraModule } from "../module.ts";
import { portOfRecording, recordSession } from "../recording.ts";
import type { PortUri } from "../uri.ts";
import { FrameLines } from "./frame-text.ts";
import type { CliIo } from "./io.ts";

/** Each frame as a line on stderr, and what came instead of one, for as long as the module is open. */
export function traceFrames(module: SakuraModule, io: CliIo): void {
  const lines = new FrameLines(io.stderr);
  module.onFrame(({ direction, time, bytes }) => lines[direction](time, bytes));
  module.onStray((stray) =>
    stray.kind === "noise" ? lines.noise(stray.time, stray.bytes) : lines.missing(stray.time),
  );
}

/**
 * Each frame in a file, until the module is closed. A line that cannot be written ends the verb.
 * @throws SakuraError FILE_FAILED when the file is there already or cannot be made
 */
export function recordFrames(module: SakuraModule, file: string, port: PortUri, io: CliIo): void {
  recordSession(module, file, { port: portOfRecording(port), onFailure: (error) => io.fail(error) });
}
