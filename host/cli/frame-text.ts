/** A frame that went by, for people: one line, columns aligned. */
import { commandByCode } from "../../protocol/commands.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import { toHex } from "../../protocol/hex.ts";
import { statusText } from "../../protocol/status.ts";

/** @param at Unix ms @param meaning what stands behind the bytes, where something does */
export function requestLine(at: number, frame: Uint8Array, meaning?: string): string {
  return line(at, "→", commandByCode(frame[0] ?? 0) ?? "?", frame, meaning);
}

/** As {@link requestLine}, for the answer; nothing stands for silence. */
export function answerLine(at: number, frame: Uint8Array | undefined, meaning?: string): string {
  return line(at, "←", frame ? statusText(frame[0] ?? 0) : "(silent)", frame, meaning);
}

function line(at: number, arrow: string, name: string, frame: Uint8Array | undefined, meaning = ""): string {
  const time = formatDateTime(at).slice(11, 23);
  const bytes = frame ? toHex(frame, " ") : "";
  return `${time}  MCU ${arrow} module  ${name.padEnd(26)}${bytes}${meaning === "" ? "" : `  ${meaning}`}`;
}
