/** `tap --record`: the frames of both sides, as they passed, damaged ones too, and the lines that are none. */
import { AtAnswerParser, AtRequestParser, atLineBytes, atRequestLineBytes } from "../../protocol/at.ts";
import type { TapSide } from "../bridge/links/tap-pipe.ts";
import { systemClock } from "../clock.ts";
import { type FrameSource, recordSession } from "../recording.ts";
import type { FrameEvent } from "../transport/exchange.ts";
import type { CliIo } from "./io.ts";

export interface TapRecorder {
  passed(from: TapSide, bytes: Uint8Array): void;
  /** Forgets half a line of either side: another MCU is there. */
  reset(): void;
  /** Writes the end. */
  stop(): void;
}

/** @throws SakuraError FILE_FAILED when the file is there already or cannot be made */
export function recordTap(file: string, io: CliIo): TapRecorder {
  let give = (_frame: FrameEvent): void => undefined;
  let giveStray: Parameters<NonNullable<FrameSource["onStray"]>>[0] = () => undefined;
  const frame = (direction: FrameEvent["direction"], bytes: Uint8Array): void =>
    give({ direction, time: systemClock.now(), bytes });
  const noise = (direction: FrameEvent["direction"], bytes: Uint8Array | undefined): void => {
    if (bytes) giveStray({ kind: "noise", direction, time: systemClock.now(), bytes });
  };
  const parsers = () => {
    let okIsDue = false;
    return {
      mcu: new AtRequestParser((event) => {
        if (event.kind === "frame") frame("request", event.frame);
        else noise("request", atRequestLineBytes(event));
      }),
      module: new AtAnswerParser((event) => {
        const isDue = okIsDue && event.kind === "ok";
        okIsDue = event.kind === "answer";
        if (event.kind === "answer") frame("answer", event.frame);
        else if (!isDue) noise("answer", atLineBytes(event));
      }),
    };
  };
  let sides = parsers();
  const source: FrameSource = {
    onFrame(listener) {
      give = listener;
      return () => {
        give = () => undefined;
      };
    },
    onStray(listener) {
      giveStray = listener;
      return () => {
        giveStray = () => undefined;
      };
    },
  };
  const stop = recordSession(source, file, { port: { kind: "tap" }, onFailure: (error) => io.fail(error) });
  return {
    passed: (from, bytes) => sides[from].push(bytes),
    reset() {
      sides = parsers();
    },
    stop,
  };
}
