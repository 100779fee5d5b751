/** What an emulated module says and does, for people. */
import type { ModuleEvent } from "../../emulator/behaviour.ts";
import type { EmulatedModule } from "../../emulator/module.ts";
import type { ReplayedModule } from "../../emulator/replay/module.ts";
import { reasonOf } from "../../protocol/errors.ts";
import { encodeMessage, type PlatformMessage } from "../../protocol/message.ts";
import { FrameLines } from "./frame-text.ts";
import { type CliIo, printLine } from "./io.ts";
import type { ControlAnswer } from "./module-control.ts";

/** A message that went up, as a line. */
export function sayMessage(message: PlatformMessage, json: boolean): string {
  return json ? `{"event":"message","message":${encodeMessage(message)}}` : `up    ${encodeMessage(message)}`;
}

export function sayAnswer(answer: ControlAnswer, json: boolean): string {
  if (json) return JSON.stringify(answer);
  if (answer.event === "downlink") return answer.accepted ? "down  accepted" : `down  refused: ${answer.reason}`;
  return answer.ok ? "ok" : `not done: ${answer.reason}`;
}

/** What the operator would not see in the messages. */
export function reportEvent(event: ModuleEvent, io: CliIo): void {
  switch (event.kind) {
    case "file-failed":
      return printLine(io.stderr, `file ${event.id}: ${reasonOf(event.error)}`);
    case "uplink-refused":
      return printLine(io.stderr, `${event.type} not taken: ${reasonOf(event.error)}`);
    case "online":
      return printLine(io.stderr, event.online ? "module online" : "module offline");
  }
}

type Traced = Pick<EmulatedModule, "onFrame" | "clock"> & Partial<Pick<ReplayedModule, "onNoise">>;

/** Each request and its answer, on stderr. */
export function trace(module: Traced, io: CliIo): void {
  const lines = new FrameLines(io.stderr);
  module.onFrame((request, answer) => {
    const now = module.clock.now();
    lines.request(now, request);
    lines.answer(now, answer);
  });
  module.onNoise?.((noise) => lines.noise(module.clock.now(), noise));
}
