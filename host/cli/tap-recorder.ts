/** `tap --record`: the frames of both sides, as they passed, damaged ones too. */
import { AtAnswerParser, AtRequestParser } from "../../protocol/at.ts";
import type { TapSide } from "../bridge/links/tap-pipe.ts";
import { systemClock } from "../clock.ts";
import { recordSession } from "../recording.ts";
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
  const frame = (direction: FrameEvent["direction"], bytes: Uint8Array): void =>
    give({ direction, time: systemClock.now(), bytes });
  const parsers = () => ({
    mcu: new AtRequestParser((event) => {
      if (event.kind === "frame") frame("request", event.frame);
    }),
    module: new AtAnswerParser((event) => {
      if (event.kind === "answer") frame("answer", event.frame);
    }),
  });
  let sides = parsers();
  const source = {
    onFrame(listener: (frame: FrameEvent) => void) {
      give = listener;
      return () => {
        give = () => undefined;
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
