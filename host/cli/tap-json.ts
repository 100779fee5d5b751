/** What goes by on a tap, for programs: a line of JSON each. */
import { commandByCode } from "../../protocol/commands.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import { decodeResponse } from "../../protocol/frame.ts";
import { toHex, toHexLower } from "../../protocol/hex.ts";
import { shortestFloat32 } from "../../protocol/json.ts";
import { statuses, statusText } from "../../protocol/status.ts";
import type { TapEvent } from "../bridge/links/tap-decoder.ts";
import { jsonLine, type Plain } from "./json-line.ts";

export function tapEventJson(event: TapEvent): string {
  switch (event.kind) {
    case "request":
      return jsonLine({
        event: "request",
        datetime: formatDateTime(event.at),
        command: nameOf(event.frame),
        frame: toHex(event.frame),
        request: requestOf(event),
      });
    case "answer":
      return jsonLine({
        event: "answer",
        datetime: formatDateTime(event.at),
        command: event.to && nameOf(event.to.frame),
        status: statusText(event.frame[0] ?? 0),
        frame: toHex(event.frame),
        answer: answerOf(event),
      });
    case "unanswered":
      return jsonLine({ event: "unanswered", command: nameOf(event.request.frame) });
    case "noise":
      return jsonLine({ event: "noise", from: event.from, bytes: event.bytes });
  }
}

/** `?` for a code that is no command's. */
export function nameOf(frame: Uint8Array): string {
  return commandByCode(frame[0] ?? 0) ?? "?";
}

function requestOf({ decoded }: TapEvent & { readonly kind: "request" }): Plain | undefined {
  return decoded.ok ? plainOf(decoded.request) : undefined;
}

/** What a good answer says; nothing for a refusal, and for what cannot be read. */
function answerOf({ frame, to }: TapEvent & { readonly kind: "answer" }): Plain | undefined {
  if (!to?.decoded.ok || frame[0] !== statuses.values.NONE) return undefined;
  try {
    return plainOf(decodeResponse(to.decoded.name, frame));
  } catch (error) {
    if (isSakuraError(error, "INVALID_PAYLOAD")) return undefined;
    throw error;
  }
}

/** As JSON carries it: bytes as hex digits, a float32 in its shortest form. */
function plainOf(value: unknown): Plain | undefined {
  if (value instanceof Uint8Array) return toHexLower(value);
  if (Array.isArray(value)) return value.map((one) => plainOf(one) ?? null);
  switch (typeof value) {
    case "object": {
      if (value === null) return null;
      const fields = Object.entries(value).map(([key, field]): [string, Plain | undefined] => [key, plainOf(field)]);
      return withShortFloat(Object.fromEntries(fields));
    }
    case "number":
    case "bigint":
    case "string":
    case "boolean":
      return value;
    default:
      return undefined;
  }
}

function withShortFloat(fields: Readonly<Record<string, Plain | undefined>>): Plain {
  const { type, value } = fields;
  if (type !== "f" || typeof value !== "number" || !Number.isFinite(value)) return fields;
  return { ...fields, value: Number(shortestFloat32(value)) };
}
